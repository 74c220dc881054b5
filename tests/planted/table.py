"""All planted bugs."""

from tests.planted.bug import Bug
from tests.planted.calling import CALLING
from tests.planted.creating import CREATING
from tests.planted.ending import ENDING
from tests.planted.owning import OWNING
from tests.planted.watching import WATCHING

BUGS: tuple[Bug, ...] = (*CREATING, *WATCHING, *ENDING, *OWNING, *CALLING)
