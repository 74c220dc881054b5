from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.deploy.boards.asking import FOLDER, ROOT, load

PROVISIONING = ROOT / "grafana" / "provisioning"


def read(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


def grafana() -> Any:
    return read(ROOT / "deploy" / "compose.yaml")["services"]["grafana"]


def mounted() -> dict[str, Path]:
    """Return what stands where in compose's Grafana."""
    volumes = [one.split(":") for one in grafana()["volumes"] if one.startswith("..")]
    return {there: (ROOT / "deploy" / here).resolve() for here, there, _ in volumes}


def test_grafana_loads_the_boards_from_where_compose_puts_them() -> None:
    (provider,) = read(PROVISIONING / "dashboards" / "sweeper.yaml")["providers"]

    assert provider["type"] == "file"
    assert mounted()[provider["options"]["path"]] == FOLDER.resolve()


def test_grafana_finds_its_provisioning_where_compose_puts_it() -> None:
    for kind in ("datasources", "dashboards"):
        assert mounted()[f"/etc/grafana/provisioning/{kind}"] == (PROVISIONING / kind).resolve()


def test_the_data_source_is_of_the_kind_that_the_boards_choose_from() -> None:
    (source,) = read(PROVISIONING / "datasources" / "sweeper.yaml")["datasources"]
    chosen = [
        variable["query"]
        for file in FOLDER.iterdir()
        for variable in load(file)["templating"]["list"]
        if variable["type"] == "datasource"
    ]

    assert chosen == [source["type"]] * 3


def test_the_address_of_prometheus_is_given_by_compose() -> None:
    (source,) = read(PROVISIONING / "datasources" / "sweeper.yaml")["datasources"]

    assert source["url"].strip("${}") in grafana()["environment"]


def test_prometheus_looks_as_often_as_the_boards_are_told() -> None:
    (source,) = read(PROVISIONING / "datasources" / "sweeper.yaml")["datasources"]
    told = read(ROOT / "deploy" / "compose" / "prometheus.yaml")["global"]

    assert told["scrape_interval"] == source["jsonData"]["timeInterval"]


def test_the_board_that_grafana_opens_with_exists() -> None:
    opened = Path(grafana()["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])

    assert (mounted()[str(opened.parent)] / opened.name).exists()
