import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def test_what_this_machine_lacks_is_named_with_the_package_that_brings_it(tmp_path: Path) -> None:
    (tmp_path / "tools.sh").symlink_to(HERE / "tools.sh")
    (tmp_path / "tools.txt").write_text("# a note\nno-such-program -\nsh dash\n")

    told = subprocess.run(
        ["sh", str(tmp_path / "tools.sh")], capture_output=True, text=True, check=True
    ).stdout

    assert told == "There is no no-such-program here: what needs it is left out\n"
