"""Put faults on a control plane that is about to open."""

from sweeper.local.faults.admin import admin_routes
from sweeper.local.faults.drawing import Faults
from sweeper.local.faults.gate import FaultGate
from sweeper.local.faults.weather import Weather
from sweeper.local.site import Extend, Extension, Site
from sweeper.ports import Now


def with_faults(faults: Faults, *, now: Now, admin: bool = False) -> Extend:
    """Return the extension that lets a plan's faults happen.

    `admin` adds the calls under `/admin` that change the plan and let misfortunes happen; they
    need a token like all others, and no fault befalls them.
    """

    def extend(site: Site) -> Extension:
        weather = Weather(faults, site.engine, now=now)
        return Extension(
            routes=admin_routes(faults, weather) if admin else (),
            work=(weather.run,),
            wrap=lambda app: FaultGate(app, faults, now=now),
        )

    return extend
