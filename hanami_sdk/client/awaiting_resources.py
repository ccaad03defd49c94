"""The resources of `AsyncClient`: ``client.clusters`` and so on, and its tasks."""

from typing import Any

from hanami_sdk._progress import Report, shown_progress
from hanami_sdk.client import accounts, clusters, datasets, system, tasks, uploads
from hanami_sdk.client.methods import AsyncRunner, Awaited
from hanami_sdk.client.results import Task

__all__ = [
    "AsyncCheckpoints",
    "AsyncClusters",
    "AsyncDatasets",
    "AsyncHosts",
    "AsyncLogs",
    "AsyncProjects",
    "AsyncRequestTask",
    "AsyncSystem",
    "AsyncTasks",
    "AsyncTrainTask",
    "AsyncUsers",
]


class _Resource:
    def __init__(self, runner: AsyncRunner) -> None:
        self.runner = runner


class AsyncUsers(_Resource):
    """Users and the projects they may work in."""

    create = Awaited(accounts.create_user)
    get = Awaited(accounts.get_user)
    list = Awaited(accounts.list_users)
    delete = Awaited(accounts.delete_user)
    change_passphrase = Awaited(accounts.change_passphrase)
    add_project = Awaited(accounts.add_project)
    remove_project = Awaited(accounts.remove_project)
    list_projects = Awaited(accounts.list_user_projects)


class AsyncProjects(_Resource):
    """Projects separate the resources of users."""

    create = Awaited(accounts.create_project)
    get = Awaited(accounts.get_project)
    list = Awaited(accounts.list_projects)
    delete = Awaited(accounts.delete_project)


class AsyncLogs(_Resource):
    """Who called what, and what went wrong inside of the server."""

    audit = Awaited(accounts.audit_log)
    errors = Awaited(accounts.error_log)


class AsyncDatasets(_Resource):
    """Data to train and to ask with, and the answers of request tasks."""

    get = Awaited(datasets.get_dataset)
    list = Awaited(datasets.list_datasets)
    delete = Awaited(datasets.delete_dataset)
    check = Awaited(datasets.check_dataset)
    report = Awaited(datasets.report_dataset)
    read = Awaited(datasets.read_column)
    download = Awaited(datasets.download_dataset)
    upload_mnist = Awaited(uploads.upload_mnist)
    upload_csv = Awaited(uploads.upload_csv)
    resume_upload = Awaited(uploads.resume_upload)
    upload_progress = Awaited(uploads.upload_progress)
    get_upload = Awaited(uploads.get_upload)


class AsyncClusters(_Resource):
    """The growing networks."""

    create = Awaited(clusters.create_cluster)
    get = Awaited(clusters.get_cluster)
    list = Awaited(clusters.list_clusters)
    delete = Awaited(clusters.delete_cluster)
    rename = Awaited(clusters.rename_cluster)
    copy = Awaited(clusters.copy_cluster)
    stats = Awaited(clusters.cluster_stats)
    history = Awaited(clusters.cluster_history)
    save = Awaited(clusters.save_cluster)
    restore = Awaited(clusters.restore_cluster)
    set_mode = Awaited(clusters.set_mode)
    switch_host = Awaited(clusters.switch_host)


class AsyncCheckpoints(_Resource):
    """Saved states of clusters."""

    get = Awaited(clusters.get_checkpoint)
    list = Awaited(clusters.list_checkpoints)
    delete = Awaited(clusters.delete_checkpoint)
    download = Awaited(clusters.download_checkpoint)
    upload = Awaited(clusters.upload_checkpoint)


class AsyncHosts(_Resource):
    """Where clusters compute."""

    list = Awaited(clusters.list_hosts)


class AsyncSystem(_Resource):
    """The server itself, and its machine."""

    caller = Awaited(system.caller)
    info = Awaited(system.system_info)
    threads = Awaited(system.threads)
    power = Awaited(system.power)
    speed = Awaited(system.speed)
    temperature = Awaited(system.temperature)


class AsyncTasks(_Resource):
    """The queues of clusters; `AsyncClient.train` and `AsyncClient.request` are shorter."""

    create_train = Awaited(tasks.create_train_task)
    create_request = Awaited(tasks.create_request_task)
    get = Awaited(tasks.get_task)
    list = Awaited(tasks.list_tasks)
    pause = Awaited(tasks.pause_task)
    resume = Awaited(tasks.resume_task)
    abort = Awaited(tasks.abort_task)
    delete = Awaited(tasks.delete_task)


class AsyncTrainTask:
    """A task in the queue of a cluster.

    Attributes
    ----------
    cluster_uuid, uuid : str
        Which one it is.
    last : Task
        What was known about it last.
    """

    def __init__(self, runner: AsyncRunner, cluster_uuid: str, created: Task) -> None:
        self._runner = runner
        self.cluster_uuid = cluster_uuid
        self.last = created

    @property
    def uuid(self) -> str:
        """The uuid of the task."""
        return self.last.uuid

    async def refresh(self) -> Task:
        """Ask how it is."""
        session = self._runner.session
        self.last = await self._runner.run(tasks.get_task(session, self.cluster_uuid, self.uuid))
        return self.last

    async def wait(
        self, *, progress: bool | Report = False, timeout_s: float | None = None
    ) -> Task:
        """Wait for the end.

        Parameters
        ----------
        progress : bool or callable
            True shows a bar if stderr is a terminal; a function gets the cycles done and in total.
        timeout_s : float, optional
            How long at most.

        Raises
        ------
        TaskFailedException
            When the task has failed or was aborted.
        TimeoutError
            When it takes longer; the task goes on.
        """
        with shown_progress(progress, self.last.name) as report:
            flow = tasks.wait_for_task(
                self._runner.session,
                self.cluster_uuid,
                self.uuid,
                report=report,
                timeout_s=timeout_s,
            )
            self.last = await self._runner.run(flow)
        return self.last

    async def pause(self) -> Task:
        """Stop a training at a recorded cycle, until `resume`."""
        return await self._change(tasks.pause_task)

    async def resume(self) -> Task:
        """Go on after a pause."""
        return await self._change(tasks.resume_task)

    async def abort(self) -> Task:
        """End it at a recorded cycle; what it has learned stays."""
        return await self._change(tasks.abort_task)

    async def _change(self, change: tasks.Change) -> Task:
        self.last = await self._runner.run(
            change(self._runner.session, self.cluster_uuid, self.uuid)
        )
        return self.last

    async def delete(self) -> None:
        """Remove it from the queue; a running task is aborted."""
        await self._runner.run(
            tasks.delete_task(self._runner.session, self.cluster_uuid, self.uuid)
        )


class AsyncRequestTask(AsyncTrainTask):
    """Questions in the queue of a cluster.

    Attributes
    ----------
    columns : list of str
        The columns of the result.
    """

    def __init__(
        self, runner: AsyncRunner, cluster_uuid: str, created: Task, columns: "list[str]"
    ) -> None:
        super().__init__(runner, cluster_uuid, created)
        self.columns = columns

    async def result(
        self,
        column: str | None = None,
        *,
        progress: bool | Report = False,
        timeout_s: float | None = None,
    ) -> Any:
        """Wait for the end and return the answers, one row for each question.

        Parameters
        ----------
        column : str, optional
            Which column; may be left out when there is only one.
        progress, timeout_s
            As in `wait`.

        Returns
        -------
        array
            Of numpy with 32-bit floats; a list of lists where numpy is not installed.
        """
        chosen = tasks.chosen_column(self.columns, column)
        if self.last.state != "finished":
            await self.wait(progress=progress, timeout_s=timeout_s)
        return await self._runner.run(datasets.read_column(self._runner.session, self.uuid, chosen))
