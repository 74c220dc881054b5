from pathlib import Path

import pytest

from sweeper.bootstrap.serving_local import ServeOptions, serve_local
from sweeper.errors import SettingsError
from sweeper.settings import Settings


async def test_bounds_of_one_node_are_refused_beside_a_file_with_nodes(tmp_path: Path) -> None:
    file = tmp_path / "local.yaml"
    file.write_text("nodes: [{name: a}]")
    options = ServeOptions(
        settings=Settings(), directory=tmp_path, listen="127.0.0.1:0", config=file, cores="4"
    )

    with pytest.raises(SettingsError, match="write cores and memory of each node there"):
        await serve_local(options, lambda serving: None)
