"""All endpoints. To add one: a request and a reply struct, a handler, and a row in its resource."""

from hanami_actors.api.endpoints import (
    checkpoint,
    checkpoint_file,
    cluster,
    cluster_control,
    cluster_state,
    dataset,
    documentation,
    download,
    health,
    host,
    logs,
    measure,
    metrics,
    project,
    task,
    token,
    upload,
    upload_progress,
    user,
    user_project,
)
from hanami_actors.api.table.endpoint import Endpoint

__all__ = ["ENDPOINTS"]

ENDPOINTS: tuple[Endpoint, ...] = (
    *token.ROWS,
    *user.ROWS,
    *user_project.ROWS,
    *project.ROWS,
    *dataset.ROWS,
    *upload.ROWS,
    *upload_progress.ROWS,
    *download.ROWS,
    *cluster.ROWS,
    *cluster_state.ROWS,
    *cluster_control.ROWS,
    *task.ROWS,
    *checkpoint.ROWS,
    *checkpoint_file.ROWS,
    *host.ROWS,
    *logs.ROWS,
    *measure.ROWS,
    *metrics.ROWS,
    *health.ROWS,
    *documentation.ROWS,
)
