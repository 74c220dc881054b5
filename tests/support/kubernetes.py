"""What Kubernetes makes of `$(NAME)` in a container's command, args and variables."""

import re

_REFERENCE = re.compile(r"\$(\$|\(([^)]*)\))")


def expand(text: str, value: str = "<expanded>") -> str:
    """Return `text` as a container sees it when every variable is set to `value`.

    After kubernetes/third_party/forked/golang/expansion: `$$` is one `$`, and whatever else
    follows a `$` stays.
    """
    return _REFERENCE.sub(lambda found: "$" if found[1] == "$" else value, text)
