import pytest

from tests.sweepfile.files import (
    a_context,
    faults_of,
    read,
    the_fault,
    told,
    with_parameters,
    with_spec,
)


@pytest.mark.parametrize(
    ("spec", "path", "said"),
    [
        ("{image: x, args: '--lr ${lrr}'}", "training.spec.args", "write ${lr}"),
        ("{image: '${tag}'}", "training.spec.image", "$${tag}"),
        ("{image: x, compute: {cpuCoreRequest: '${lr.a}'}}", "training.spec.compute.cpuCo", "lr.a"),
        ("{image: x, ports: [{container: '${p}'}]}", "training.spec.ports[0].container", "${p}"),
    ],
)
def test_a_placeholder_that_names_nothing_is_a_fault(spec: str, path: str, said: str) -> None:
    fault = the_fault(with_spec(spec))

    assert fault.line == 6
    assert fault.path.startswith(path)
    assert said in fault.message


@pytest.mark.parametrize("name", ["lr", "sweep", "trial", "attempt", "checkpoint_key", "net.depth"])
def test_parameters_and_fixed_names_are_known(name: str) -> None:
    parameters = "lr: {value: 1}, net: {parameters: {depth: {value: 2}}}"

    found = read(with_spec(f"{{image: x, command: python, args: '${{{name}}}'}}", parameters))

    assert found.violations == ()


def test_a_placeholder_of_a_broken_parameter_is_no_second_fault() -> None:
    fault = the_fault(with_spec("{image: x, args: '${lr}'}", "lr: 3"))

    assert fault.path == "parameters.lr"


def test_a_placeholder_beside_a_broken_parameter_is_a_fault() -> None:
    found = faults_of(with_spec("{image: x, args: '${lr} ${nope}'}", "lr: 3"))

    assert [each.path for each in found] == ["parameters.lr", "training.spec.args"]


def test_a_placeholder_takes_the_type_of_its_value() -> None:
    spec = "{image: x, command: python, compute: {cpuCoreRequest: '${cpus}'}}"

    assert read(with_spec(spec, "cpus: {values: [1, 2]}")).warnings == ()
    assert the_fault(with_spec(spec, "cpus: {values: [many]}")).path == (
        "training.spec.compute.cpuCoreRequest"
    )


@pytest.mark.parametrize(
    ("spec", "path", "said"),
    [
        ("{imagee: x}", "training.spec", ""),
        ("{image: x, compute: {gpuDevicesRequest: -1}}", "training.spec.compute.gpuDevices", ""),
        ("{image: x, environmentVariables: [{value: a}]}", "training.spec.environmentVar", ""),
        ("{image: 3}", "training.spec.image", "3"),
        ("{image: x, environmentVariables: {a: b}}", "training.spec.environmentVariables", ""),
    ],
)
def test_what_the_control_plane_would_refuse_is_a_fault(spec: str, path: str, said: str) -> None:
    fault = faults_of(with_spec(spec))[0]

    assert fault.line == 6
    assert fault.path.startswith(path)
    assert said in fault.message


def test_what_the_control_plane_may_dislike_is_a_warning() -> None:
    spec = "{image: x, storage: {pvc: [{name: c, path: /c, existingPvc: true, claimName: NAME}]}}"

    (fixed,) = read(with_spec(spec.replace("NAME", "data"))).warnings
    varied = read(with_spec(spec.replace("NAME", "'data-${trial}'"))).warnings

    assert fixed.path == "training.spec.storage.pvc[0].claimName"
    assert varied == ()


def test_privileged_fields_are_refused_unless_allowed() -> None:
    text = with_spec("{image: x, security: {hostNetwork: true}}")

    assert the_fault(text).path == "training.spec.security.hostNetwork"
    assert read(text, a_context(allow_privileged=True)).spec.name == "demo"


def test_an_image_is_needed_only_on_run_ai() -> None:
    text = with_spec("{command: python}")

    assert "image" in the_fault(text).message
    assert read(text, a_context(local=True)).spec.name == "demo"


def test_an_image_without_a_command_starts_nothing_on_this_machine() -> None:
    text = with_spec("{image: x}")

    assert read(text).warnings == ()
    (warning,) = read(text, a_context(local=True)).warnings
    assert "nothing to start on this machine" in warning.message


def test_newer_fields_pass_where_the_control_plane_is_newer() -> None:
    text = with_spec("{image: x, someNewField: 3}")

    assert the_fault(text).path == "training.spec.someNewField"
    assert read(text, a_context(api_version=(2, 22))).spec.name == "demo"


def test_what_cannot_be_rendered_stands_at_its_place() -> None:
    fault = the_fault(with_spec("{image: x, args: 'a \\${lr}'}"))

    assert told(fault) == (6, 26, "training.spec.args")
    assert "take the backslash away" in fault.message


def test_a_file_cannot_be_brought_to_run_ai() -> None:
    text = with_spec("{image: x}") + "command: [python, '${args_json_file}']\n"

    fault = the_fault(text)

    assert (fault.line, fault.path) == (7, "command")
    assert "use ${args_json}" in fault.message


def test_a_spec_full_of_placeholders_is_refused() -> None:
    fault = the_fault(with_spec(f"{{image: x, args: '{'${lr}' * 2001}'}}"))

    assert "holds 2001 placeholders" in fault.message


def test_placeholders_do_not_unfold_without_end() -> None:
    text = with_parameters(f"  a: {{values: [x, {'y' * 100_000}]}}")

    command = "command: [" + "'${args}'," * 500 + "]"

    assert read(text).warnings == ()
    assert "too much text" in the_fault(text + command).message
