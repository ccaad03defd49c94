"""Tasks: queue them, look at them, wait for their end."""

from typing import Any

from hanami_sdk._progress import Report, shown_progress
from hanami_sdk.calls import tasks
from hanami_sdk.calls.call import Call, Rows
from hanami_sdk.calls.results import Task, TaskRow
from hanami_sdk.client._async.polling import answer_when
from hanami_sdk.client._async.resources import AsyncDatasets
from hanami_sdk.client._async.sender import AsyncCaller, AsyncSender
from hanami_sdk.client.columns import chosen_column
from hanami_sdk.client.references import (
    Links,
    Reference,
    Results,
    result_links,
    source_links,
    uuid_of,
)
from hanami_sdk.hanami_exceptions import TaskFailedException

__all__ = ["AsyncRequestTask", "AsyncTasks", "AsyncTrainTask", "ended_task"]

POLL_FIRST_S = 0.02


async def ended_task(
    client: AsyncCaller,
    call: Call[Task],
    *,
    report: Report | None = None,
    timeout_s: float | None = None,
) -> Task:
    """Send the call that looks at a task until that has ended, in whatever way; return it.

    Raises
    ------
    TimeoutError
        When it takes longer than ``timeout_s``; it goes on.
    """
    clock_s = client.session.clock_s
    end_s = None if timeout_s is None else clock_s() + timeout_s

    def is_ended(now: Task) -> bool:
        if report is not None:
            report(now.current_cycle, now.total_number_of_cycles)
        if not now.is_ended and end_s is not None and clock_s() >= end_s:
            raise TimeoutError(
                f"task {now.uuid} is {now.state} after {timeout_s:g} s, at cycle"
                f" {now.current_cycle} of {now.total_number_of_cycles}"
            )
        return now.is_ended

    return await answer_when(client, call, is_ended, first_s=POLL_FIRST_S)


class AsyncTasks:
    """The queues of clusters; `AsyncClient.train` and `AsyncClient.request` are shorter."""

    def __init__(self, client: AsyncSender) -> None:
        self._client = client

    async def create_train(
        self,
        cluster: Reference,
        *,
        inputs: Links,
        outputs: Links,
        epochs: int | None = None,
        name: str = "train",
        time_length: int | None = None,
    ) -> Task:
        """Queue the training of a cluster; the arguments are those of `AsyncClient.train`."""
        call = tasks.create_train_task(
            name,
            uuid_of(cluster),
            inputs=source_links(inputs),
            outputs=source_links(outputs),
            time_length=time_length,
            number_of_epochs=epochs,
        )
        return await self._client.do(call)

    async def create_request(
        self,
        cluster: Reference,
        *,
        inputs: Links,
        results: Results,
        name: str = "request",
        time_length: int | None = None,
    ) -> Task:
        """Queue questions; the answers become a dataset with the uuid and the name of the task.

        The arguments are those of `AsyncClient.request`.
        """
        call = tasks.create_request_task(
            name,
            uuid_of(cluster),
            inputs=source_links(inputs),
            results=result_links(results),
            time_length=time_length,
        )
        return await self._client.do(call)

    async def get(self, cluster: Reference, task: Reference) -> Task:
        """Return one task of a cluster."""
        return await self._client.do(tasks.get_task(uuid_of(task), uuid_of(cluster)))

    async def list(self, cluster: Reference) -> Rows[TaskRow]:
        """Return the tasks of a cluster, sorted by uuid."""
        return await self._client.do(tasks.list_tasks(uuid_of(cluster)))

    async def pause(self, cluster: Reference, task: Reference) -> Task:
        """Stop a training at a recorded cycle; the queue waits until it goes on or is aborted."""
        return await self._client.do(tasks.pause_task(uuid_of(task), uuid_of(cluster)))

    async def resume(self, cluster: Reference, task: Reference) -> Task:
        """Let a paused training go on."""
        return await self._client.do(tasks.resume_task(uuid_of(task), uuid_of(cluster)))

    async def abort(self, cluster: Reference, task: Reference) -> Task:
        """End a task at a recorded cycle; what it has learned stays."""
        return await self._client.do(tasks.abort_task(uuid_of(task), uuid_of(cluster)))

    async def delete(self, cluster: Reference, task: Reference) -> None:
        """Remove a task; a running one is aborted and stays in the list."""
        await self._client.do(tasks.delete_task(uuid_of(task), uuid_of(cluster)))


class AsyncTrainTask:
    """A task in the queue of a cluster.

    Attributes
    ----------
    cluster_uuid, uuid : str
        Which one it is.
    last : Task
        What was known about it last.
    """

    def __init__(self, client: AsyncSender, cluster_uuid: str, created: Task) -> None:
        self._client = client
        self.cluster_uuid = cluster_uuid
        self.last = created

    @property
    def uuid(self) -> str:
        """The uuid of the task."""
        return self.last.uuid

    async def _renewed(self, call: Call[Task]) -> Task:
        self.last = await self._client.do(call)
        return self.last

    async def refresh(self) -> Task:
        """Ask how it is."""
        return await self._renewed(tasks.get_task(self.uuid, self.cluster_uuid))

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
            call = tasks.get_task(self.uuid, self.cluster_uuid)
            self.last = await ended_task(self._client, call, report=report, timeout_s=timeout_s)
        if self.last.state != "finished":
            raise TaskFailedException(self.uuid, self.last.state, self.last.reason)
        return self.last

    async def pause(self) -> Task:
        """Stop a training at a recorded cycle, until `resume`."""
        return await self._renewed(tasks.pause_task(self.uuid, self.cluster_uuid))

    async def resume(self) -> Task:
        """Go on after a pause."""
        return await self._renewed(tasks.resume_task(self.uuid, self.cluster_uuid))

    async def abort(self) -> Task:
        """End it at a recorded cycle; what it has learned stays."""
        return await self._renewed(tasks.abort_task(self.uuid, self.cluster_uuid))

    async def delete(self) -> None:
        """Remove it from the queue; a running task is aborted."""
        await self._client.do(tasks.delete_task(self.uuid, self.cluster_uuid))


class AsyncRequestTask(AsyncTrainTask):
    """Questions in the queue of a cluster.

    Attributes
    ----------
    columns : list of str
        The columns of the result.
    """

    def __init__(
        self, client: AsyncSender, cluster_uuid: str, created: Task, columns: list[str]
    ) -> None:
        super().__init__(client, cluster_uuid, created)
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
        chosen = chosen_column(self.columns, column)
        if self.last.state != "finished":
            await self.wait(progress=progress, timeout_s=timeout_s)
        return await AsyncDatasets(self._client).read(self.uuid, chosen)
