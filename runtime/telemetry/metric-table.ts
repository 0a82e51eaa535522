/** Every metric once, but those of the process itself (`process_…`, `nodejs_…`). docs/metrics.md has the same table; a test compares them. */

interface Row {
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Who serves it. */
  readonly by: 'bridge' | 'control'
  readonly labels: readonly string[]
  readonly help: string
}

export const metricTable = {
  sluice_hops_total: {
    type: 'counter',
    by: 'bridge',
    labels: ['topology', 'node', 'verdict'],
    help: 'Messages that this bridge settled at a node, by what became of them',
  },
  sluice_calls_total: {
    type: 'counter',
    by: 'bridge',
    labels: ['topology', 'node', 'worker', 'outcome'],
    help: 'Calls of workers that this bridge made, by what came of them',
  },
  sluice_call_duration_seconds: {
    type: 'histogram',
    by: 'bridge',
    labels: ['topology', 'node', 'worker'],
    help: 'How long calls took that were sent, without waits before them',
  },
  sluice_worker_instances: {
    type: 'gauge',
    by: 'bridge',
    labels: ['worker', 'state'],
    help: 'Instances of a worker by the state of their breaker, as this bridge sees them',
  },
  sluice_worker_calls_in_flight: {
    type: 'gauge',
    by: 'bridge',
    labels: ['worker'],
    help: 'Calls that this bridge has open at a worker',
  },
  sluice_node_breakers_not_closed: {
    type: 'gauge',
    by: 'bridge',
    labels: ['topology', 'node', 'state'],
    help: '1 for a node whose breaker holds calls back',
  },
  sluice_limit_permits_total: {
    type: 'counter',
    by: 'bridge',
    labels: ['service'],
    help: 'What calls of this bridge counted as, against the limits of a service',
  },
  sluice_limit_waiting_calls: {
    type: 'gauge',
    by: 'bridge',
    labels: ['service'],
    help: 'Calls that this bridge holds back for the limits of a service, over all its keys',
  },
  sluice_limit_away: {
    type: 'gauge',
    by: 'bridge',
    labels: ['service'],
    help: '1 while this bridge can not keep in NATS what it reserves, and goes on with its share of the rate',
  },
  sluice_bridge_messages_held: {
    type: 'gauge',
    by: 'bridge',
    labels: [],
    help: 'Messages that the bridge holds now',
  },
  sluice_bridge_nats_connected: {
    type: 'gauge',
    by: 'bridge',
    labels: [],
    help: 'Whether NATS is connected, 1 or 0',
  },
  sluice_queue_messages: {
    type: 'gauge',
    by: 'control',
    labels: ['topology', 'node', 'state'],
    help: 'Messages before a node: pending, in_flight, delayed, and its replies that are not split yet',
  },
  sluice_queue_oldest_seconds: {
    type: 'gauge',
    by: 'control',
    labels: ['topology', 'node'],
    help: 'How long the oldest message that is not settled has been in the queue of the node; 0 for an empty one',
  },
  sluice_node_paused: {
    type: 'gauge',
    by: 'control',
    labels: ['topology', 'node'],
    help: '1 for a node that is paused, by itself or with its topology',
  },
  sluice_stream_bytes: {
    type: 'gauge',
    by: 'control',
    labels: ['topology'],
    help: 'What the queues of a topology take, with what is settled and not compacted yet',
  },
  sluice_stream_held_back_bytes: {
    type: 'gauge',
    by: 'control',
    labels: ['topology'],
    help: 'About how much of that could be compacted, if one unsettled message were not before it',
  },
  sluice_recorder_lag_seconds: {
    type: 'gauge',
    by: 'control',
    labels: ['topology'],
    help: 'Age of the oldest outcome that is not in Postgres yet; 0 when all are',
  },
  sluice_trash_open_messages: {
    type: 'gauge',
    by: 'control',
    labels: ['topology'],
    help: 'Messages in Trash that nobody has settled',
  },
  sluice_limit_paused_keys: {
    type: 'gauge',
    by: 'control',
    labels: ['service'],
    help: 'Keys of a service that are not called now, since it asked to wait (429)',
  },
  sluice_bridges_live: { type: 'gauge', by: 'control', labels: [], help: 'Bridges that are alive' },
  sluice_topologies_published: { type: 'gauge', by: 'control', labels: [], help: 'Topologies that are published' },
  sluice_topologies_left_out: {
    type: 'gauge',
    by: 'control',
    labels: ['of'],
    help: 'Topologies that have no series, since there are too many: of queues and of trash',
  },
  sluice_nats_connected: {
    type: 'gauge',
    by: 'control',
    labels: [],
    help: 'Whether this control reaches NATS, 1 or 0',
  },
  sluice_nats_stored_bytes: { type: 'gauge', by: 'control', labels: [], help: 'What NATS stores in all' },
  sluice_postgres_connected: {
    type: 'gauge',
    by: 'control',
    labels: [],
    help: 'Whether this control reaches Postgres, 1 or 0',
  },
} as const satisfies Readonly<Record<string, Row>>

export type MetricName = keyof typeof metricTable
