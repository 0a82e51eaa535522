/** What a body looks like: by the id of an operation, of its request and of the answer when all goes well. */
export interface Example {
  readonly request?: unknown
  readonly answer?: unknown
}

const topology = {
  name: 'orders',
  description: 'Orders of the shop, into the warehouse',
  labels: { team: 'shop' },
  nodes: [
    { name: 'start', type: 'start' },
    { name: 'fetch', type: 'batch', worker: 'shop', service: 'shop-api' },
    { name: 'store', type: 'connector', worker: 'shop', prefetch: 5, retry: { attempts: 5 } },
  ],
  edges: [
    { from: 'start', to: 'fetch' },
    { from: 'fetch', to: 'store' },
  ],
}

const worker = { name: 'shop', urls: ['http://shop-1:3000', 'http://shop-2:3000'], timeoutMs: 30_000 }
const limits = [
  { rate: 40, per: 'second' },
  { rate: 2, per: 'second', burst: 10, scope: 'tenant' },
]
const token = { name: 'ci', scopes: ['read', 'design'] }
const runId = '01k2x3v9q8f7h6j5'
const topologyId = '8b1tqk0d5m7w3r2z'

const bpmn = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:pipes="http://www.omg.org/spec/Pipes/20100524/MODEL">
  <bpmn:process id="orders">
    <bpmn:startEvent id="start" name="start" pipes:pipesType="start" />
    <bpmn:task id="store" name="store" pipes:pipesType="connector" pipes:rabbitPrefetch="5" />
    <bpmn:sequenceFlow id="flow" sourceRef="start" targetRef="store" />
  </bpmn:process>
</bpmn:definitions>`

export const examples: Readonly<Record<string, Example>> = {
  createTopology: { request: topology },
  replaceTopology: { request: topology },
  checkTopology: { request: topology },
  changeTopology: { request: { paused: true } },
  changeNode: { request: { prefetch: 10, retry: { attempts: 5 } } },
  tryNode: { request: { body: { id: 4711 }, contentType: 'application/json' } },
  rollbackTopology: { request: { revision: 3 } },
  replaceTopologyBpmn: { request: bpmn },
  replaceTopologyFlow: {
    request: {
      nodes: [
        { id: 1, type: 'start', name: 'start', position: { x: 0, y: 0 } },
        { id: 2, type: 'connector', name: 'store', sdk: 'shop', prefetch: 5, position: { x: 200, y: 0 } },
      ],
      connections: [{ from: 1, to: 2 }],
    },
  },
  runTopology: { request: { body: { since: '2026-01-01' }, key: '2026-01-01' }, answer: { runId } },
  startNode: { answer: { runId } },
  rerunRun: { request: { node: 'store' }, answer: { runId } },
  setWebhookSecrets: { request: { secret: 'as the sender has it', graceSeconds: 86_400 } },
  rotateWebhook: { request: { graceSeconds: 3_600 } },
  editCursor: { request: { cursor: 'page-17', reason: 'the source was restored' } },
  resetCursor: { request: { reason: 'the source was restored' } },
  setWatermark: { request: { topology: 'orders', node: 'list', watermark: '2026-03-01T10:00:00Z' } },
  editWatermark: { request: { watermark: '2026-03-01T10:00:00Z', reason: 'the source was restored' } },
  resetWatermark: { request: { reason: 'the source was restored' } },
  getRun: {
    answer: {
      id: runId,
      topology: 'orders',
      topologyId,
      node: 'start',
      nodeId: 'v5c0x9k2p4d8m1q7',
      tenant: null,
      state: 'running',
      queued: false,
      scheduledAt: null,
      startedAt: '2026-03-01T10:00:00.000Z',
      finishedAt: null,
      durationMs: 41_250,
      intake: null,
      progress: '350/1200',
      rerunOf: null,
      cancelRequestedAt: null,
      revision: 3,
      messages: { total: 500, done: 458, failed: 2, discarded: 0, cancelled: 0, inProgress: 40 },
    },
  },
  cancelRun: { answer: { state: 'cancelling', note: null } },
  editTrash: { request: { body: { id: 4711, country: 'DE' }, reason: 'the country was missing' } },
  replayTrash: { request: { acceptWarnings: true } },
  importTrash: {
    request: `{"id":"Zk3vW9x2QpL0aB7cD4eF5g","node":"store","messageId":"01k2x3v9q8f7h6j5","createdAt":"2026-03-01T10:00:00.000Z","error":{"type":"about:blank","title":"no country","status":422},"headers":{},"contentType":"application/json","bodyText":"{}"}\n`,
    answer: { runId, imported: 1, known: 0, settled: 0, faults: 0, errors: [] },
  },
  eraseTrash: {
    request: { tenant: 'ann' },
    answer: { erased: 42, discarded: 7, starts: 3, runsLeft: 0, isDone: true },
  },
  createBulk: {
    request: {
      action: 'replay',
      filter: { topology: 'orders', node: 'store', fingerprint: '9f86d081884c7d65' },
      patch: { type: 'json-patch', operations: [{ op: 'add', path: '/country', value: 'DE' }] },
      ratePerSecond: 50,
      reason: 'the country was missing',
    },
  },
  previewBulk: {
    request: {
      action: 'replay',
      filter: { topology: 'orders', node: 'store' },
      patch: { type: 'merge-patch', value: { country: 'DE' } },
    },
  },
  resumeBulk: { request: { canary: true } },
  discardTrash: { request: { reason: 'a test order' } },
  createWorker: { request: worker },
  replaceWorker: { request: worker },
  createService: { request: { name: 'shop-api', limits, maxInFlight: 20 } },
  replaceService: { request: { limits, maxInFlight: 20 } },
  createToken: {
    request: { ...token, expiresAt: '2099-01-01T00:00:00.000Z' },
    answer: {
      id: 'q7w2e9r4t1y6u3i8',
      ...token,
      topologyId: null,
      expiresAt: '2099-01-01T00:00:00.000Z',
      lastUsedAt: null,
      createdAt: '2026-03-01T10:00:00.000Z',
      token: 'slw_…',
    },
  },
  createSession: {
    request: { token: 'slw_…' },
    answer: {
      name: 'ci',
      scopes: ['read', 'design'],
      topology: null,
      topologyId: null,
      tokenId: 'q7w2e9r4t1y6u3i8',
      sessionId: 'a5s8d2f6g1h9j4k7',
      expiresAt: '2026-03-01T12:00:00.000Z',
    },
  },
}
