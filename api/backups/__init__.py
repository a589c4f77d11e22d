"""/v2/{project_id} and /v1: what is backed up, as Freezer's clients manage it."""
