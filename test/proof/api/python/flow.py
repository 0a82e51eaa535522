"""Creates, publishes, runs and inspects a topology with a client that openapi-python-client generated: flow.py URL TOKEN WORKER_URL."""

import sys
import time

from sluice.api.nodes import change_node, list_nodes
from sluice.api.publishing import publish_topology, republish_topology, unpublish_topology
from sluice.api.runs import get_run, list_runs
from sluice.api.starts import run_topology, start_node
from sluice.api.topologies import create_topology, delete_topology, get_topology
from sluice.api.trash import discard_trash, get_trash, list_trash
from sluice.api.workers import create_worker
from sluice.client import AuthenticatedClient
from sluice.models import (
    DiscardRequest,
    NodePatch,
    Problem,
    RunRequest,
    RunState,
    TopologyDocument,
    TopologyDocumentEdge,
    TopologyDocumentNode,
    TopologyDocumentNodeType,
    TopologyVisibility,
    WorkerInput,
)
from sluice.types import File
from io import BytesIO

url, token, worker_url = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token)
kinds = TopologyDocumentNodeType


def eventually(what, read):
    """What `read` returned as soon as it is something."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = read()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within 20 s: {what}")


def ended(run_id):
    def read():
        run = get_run.sync(run_id, client=client)
        return run if not isinstance(run, Problem) and run.state != RunState.RUNNING else None

    return eventually("the run has ended", read)


worker = create_worker.sync(client=client, body=WorkerInput(name="shop", urls=[worker_url]))
assert [instance.url for instance in worker.instances] == [worker_url], worker

document = TopologyDocument(
    name="python",
    nodes=[
        TopologyDocumentNode(name="start", type_=kinds.START),
        TopologyDocumentNode(name="orders", type_=kinds.BATCH, worker="shop"),
        TopologyDocumentNode(name="check", type_=kinds.CUSTOM, worker="shop", prefetch=3),
    ],
    edges=[TopologyDocumentEdge(from_="start", to="orders"), TopologyDocumentEdge(from_="orders", to="check")],
)
created = create_topology.sync(client=client, body=document)
assert created.visibility == TopologyVisibility.DRAFT and created.revision == 0, created
again = create_topology.sync_detailed(client=client, body=document)
assert again.status_code == 409 and again.parsed.title == "Conflict", again

published = publish_topology.sync("python", client=client)
assert published.visibility == TopologyVisibility.PUBLIC and published.revision == 1, published

run = ended(run_topology.sync("python", client=client, body=RunRequest(key="one")).run_id)
assert run.state == RunState.FINISHED and run.finished_at > run.started_at, run
assert run.messages.done == 3 and run.messages.total == 3, run
assert run_topology.sync("python", client=client, body=RunRequest(key="one")).run_id == run.id
raw = start_node.sync("python", "start", client=client, body=File(payload=BytesIO(b"\x00\xff")))
assert ended(raw.run_id).state == RunState.FINISHED
assert {item.id for item in list_runs.sync(client=client, topology="python").items} == {run.id, raw.run_id}

nodes = {node.name: node for node in list_nodes.sync("python", client=client).items}
assert nodes["start"].prefetch is None and nodes["check"].prefetch == 3, nodes
changed = change_node.sync(nodes["check"].id, client=client, body=NodePatch(prefetch=7))
assert changed.prefetch == 7 and changed.published.prefetch == 3, changed
assert get_topology.sync("python", client=client).bridge_out_of_sync
republished = republish_topology.sync("python", client=client)
assert not republished.bridge_out_of_sync and len(republished.bridges.applied) == 1, republished
refused = change_node.sync(nodes["check"].id, client=client, body=NodePatch(prefetch=21))
assert refused.status == 400 and refused.errors[0].path == "prefetch", refused

document.name = "python-trash"
document.nodes[1:] = [TopologyDocumentNode(name="refuse", type_=kinds.CONNECTOR, worker="shop")]
document.edges = [TopologyDocumentEdge(from_="start", to="refuse")]
create_topology.sync(client=client, body=document)
publish_topology.sync("python-trash", client=client)
failed = ended(run_topology.sync("python-trash", client=client, body=RunRequest(body={"n": 1})).run_id)
assert failed.state == RunState.FAILED and failed.messages.failed == 1, failed
[head] = list_trash.sync(client=client, run=failed.id).items
message = get_trash.sync(head.id, client=client)
assert message.body == {"n": 1} and message.attempts[0].status == 422 and head.attempts == 1, message
discard_trash.sync(head.id, client=client, body=DiscardRequest(reason="seen"))
eventually("the message is discarded", lambda: get_trash.sync(head.id, client=client).state == "discarded")

assert unpublish_topology.sync("python", client=client).visibility == TopologyVisibility.DRAFT
assert delete_topology.sync_detailed("python", client=client).status_code == 204
print("done")
