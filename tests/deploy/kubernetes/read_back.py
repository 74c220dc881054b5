"""Read resources of the Prometheus operator as JSON, and write what its models take of them."""

import json
import sys

from cloudcoil.models.prometheus_operator import v1 as operator

resources = json.load(sys.stdin)
models = [getattr(operator, each["kind"]).model_validate(each) for each in resources]
taken = [model.model_dump(by_alias=True, exclude_unset=True, mode="json") for model in models]
json.dump(taken, sys.stdout)
