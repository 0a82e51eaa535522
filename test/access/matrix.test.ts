import { expect, test } from 'vitest'
import { scopes } from '../../runtime/api/deps.ts'
import type { Scope } from '../../runtime/api/deps.ts'
import { openApi } from '../api/open.ts'
import type { TestApi } from '../api/open.ts'
import { allOperations, fromHere, logIn, tokenOf, withRuns } from './world.ts'
import type { Operation } from './world.ts'

/**
 * Every operation of docs/openapi.json with every scope. What is let in may fail of something else: bodies are empty, and no change
 * meets its `If-Match`, so that the requests of one row don't disturb another.
 */
const operations = allOperations()
const secured = operations.filter(({ isOpen }) => !isOpen)

/** Without {topology} in their path, and yet for tokens of one topology: they show or change what belongs to it. */
const seenByOwners = new Set(
  [
    'getNode',
    'changeNode',
    'explainNode',
    'getNodeHistory',
    'peekNode',
    'tailNode',
    'tryNode',
    'getWebhook',
    'setWebhookSecrets',
    'rotateWebhook',
    'revokeWebhook',
    'listRuns',
    'getRun',
    'cancelRun',
    'getRunTimeline',
    'listRunMessages',
    'getMessageTimeline',
    'rerunRun',
    'listQueues',
    'listOverview',
    'search',
    'listCron',
    'previewCron',
    'getSession',
    'deleteSession',
    'listCursors',
    'getCursor',
    'getCursorHistory',
    'editCursor',
    'resetCursor',
    'listWatermarks',
    'getWatermark',
    'getWatermarkHistory',
    'setWatermark',
    'editWatermark',
    'resetWatermark',
  ].concat(
    ['listTrash', 'listTrashGroups', 'getTrash', 'editTrash', 'replayTrash', 'discardTrash'],
    ['getTrashDifference', 'exportTrash', 'importTrash', 'eraseTrash', 'getTrashBody', 'getRunStart'],
    ['createBulk', 'previewBulk', 'listBulks', 'getBulk', 'listBulkMessages', 'pauseBulk', 'resumeBulk', 'cancelBulk'],
  ),
)

interface World {
  readonly t: TestApi
  /** By the beginning of a path, and whose. */
  readonly ids: Readonly<Record<string, Readonly<Record<Whose, string>>>>
  readonly topologies: Readonly<Record<string, string>>
}

async function openWorld(): Promise<World> {
  const t = await openApi()
  const own = await withRuns(t, 'own')
  const other = await withRuns(t, 'other')
  const ids = {
    '/api/nodes/': { own: own.node.id, other: other.node.id },
    '/api/cursors/': { own: own.cursor, other: other.cursor },
    '/api/trash/bulk/': { own: await bulkOf(t, 'own'), other: await bulkOf(t, 'other') },
    '/api/watermarks/': { own: own.watermark, other: other.watermark },
  }
  return { t, ids, topologies: { own: own.id, other: other.id } }
}

const bulkOf = async (t: TestApi, topology: string): Promise<string> =>
  (await t.post('/api/trash/bulk', { action: 'discard', filter: { topology } })).body.id

type Whose = 'own' | 'other'

function pathOf({ path }: Operation, { ids }: World, whose: Whose): string {
  const of = Object.keys(ids).find((prefix) => path.startsWith(prefix))
  const id = of === undefined ? idOf(path, whose) : ids[of]?.[whose]
  return path
    .replace('{topology}', whose)
    .replace('{node}', 'start')
    .replace('{revision}', '1')
    .replace('{id}', id ?? '')
    .replace('{name}', 'nobody')
    .replace('{message}', `${whose}-running`)
}

function idOf(path: string, whose: Whose): string {
  if (path.startsWith('/api/runs/')) return `${whose}-running`
  return path.startsWith('/api/trash/') ? `${whose}-x1` : 'nothing'
}

/** Where an empty body is refused before it is known whose topology it is. */
const goodBodies: Readonly<Record<string, string>> = {
  rollbackTopology: '{"revision":1}',
  editTrash: '{"headers":{}}',
  editCursor: '{"cursor":"c0"}',
  editWatermark: '{"watermark":"1"}',
}
const bodies: Readonly<Record<string, string>> = { 'application/json': '{}', 'application/xml': '<a/>', '*/*': 'x' }

async function statusOf(world: World, operation: Operation, headers: Record<string, string>, whose: Whose = 'own') {
  const { method, contentType } = operation
  const typed = contentType === null ? {} : { 'content-type': contentType === '*/*' ? 'text/plain' : contentType }
  const all = { 'if-match': '"999999999"', ...typed, ...headers }
  const body = contentType === null ? {} : { body: goodBodies[operation.id] ?? bodies[contentType] ?? '' }
  const response = await world.t.api.request(pathOf(operation, world, whose), { method, headers: all, ...body })
  await response.body?.cancel()
  return response.status
}

type Expected = (operation: Operation) => number | 'let in'

/** Operations that answer otherwise than expected, such as `GET /api/runs: 200, expected 403`. */
async function surprises(
  of: readonly Operation[],
  send: (operation: Operation) => Promise<number>,
  expected: Expected,
): Promise<string[]> {
  const lines = await Promise.all(
    of.map(async (operation) => {
      const [status, wanted] = [await send(operation), expected(operation)]
      const isFine = wanted === 'let in' ? isLetIn(status) : status === wanted
      return isFine ? [] : [`${operation.method} ${operation.path}: ${status}, expected ${wanted}`]
    }),
  )
  return lines.flat()
}

const isLetIn = (status: number): boolean => ![401, 403, 429, 500].includes(status)
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const allows = (scope: Scope, { scopes: needed, instead }: Operation) =>
  scope === 'admin' || needed.every((each) => each === scope) || instead.includes(scope)
const isSafe = ({ method }: Operation): boolean => method === 'GET'

test('only probes, the login and webhooks are open, besides pages that are the same for everybody', () => {
  const open = operations.filter(({ isOpen }) => isOpen).map(({ id }) => id)
  expect(open.toSorted()).toEqual(
    ['answerWebhookHandshake', 'createSession', 'getHealth', 'getReadiness', 'getTopologySchema'].concat([
      'receiveWebhook',
      'receiveWebhookPut',
    ]),
  )
})

test('without a token, with a wrong one, and with a wrong cookie, every operation is a 401', async () => {
  const world = await openWorld()
  for (const headers of [{}, bearer('slw_wrong'), { ...fromHere, cookie: 'sluice_session=slws_wrong' }])
    expect(
      await surprises(
        secured,
        (each) => statusOf(world, each, headers),
        () => 401,
      ),
    ).toEqual([])
})

test.each(scopes)(
  'with the scope %s every operation lets in or refuses as documented, by token and by login',
  async (scope) => {
    const world = await openWorld()
    const token = await tokenOf(world.t, [scope])
    const expected: Expected = (each) => (allows(scope, each) ? 'let in' : 403)
    expect(await surprises(secured, (each) => statusOf(world, each, bearer(token)), expected)).toEqual([])
    // It would end the login of the others.
    const asLoggedIn = secured.filter(({ id }) => id !== 'deleteSession')
    const { cookie } = await logIn(world.t, token)
    expect(await surprises(asLoggedIn, (each) => statusOf(world, each, { ...fromHere, cookie }), expected)).toEqual([])
  },
)

test('a login changes nothing for a page of another origin, nor without the header that only our pages can send', async () => {
  const world = await openWorld()
  const { cookie } = await logIn(world.t, await tokenOf(world.t, ['admin']))
  const foreign = { cookie, 'sluice-csrf': '1', 'sec-fetch-site': 'cross-site' }
  for (const headers of [{ cookie }, foreign, { cookie, 'sec-fetch-site': 'same-origin' }])
    expect(
      await surprises(
        secured,
        (each) => statusOf(world, each, headers),
        (each) => (isSafe(each) ? 'let in' : 403),
      ),
    ).toEqual([])
})

test('a token of one topology is good for what belongs to it, and for nothing else', async () => {
  const world = await openWorld()
  const token = await tokenOf(world.t, ['admin'], { topologyId: world.topologies.own ?? '' })
  const names = ({ path }: Operation): boolean => path.includes('{topology}')
  const sees = (each: Operation): boolean => names(each) || seenByOwners.has(each.id)
  const own: Expected = (each) => (sees(each) ? 'let in' : 403)
  expect(await surprises(secured, (each) => statusOf(world, each, bearer(token)), own)).toEqual([])
  const others = secured.filter((each) => names(each) || /\{id\}/.test(each.path))
  expect(
    await surprises(
      others,
      (each) => statusOf(world, each, bearer(token), 'other'),
      () => 403,
    ),
  ).toEqual([])
})

test('lists show a token of one topology that topology only', async () => {
  const { t, topologies } = await openWorld()
  const token = await tokenOf(t, ['read'], { topologyId: topologies.own ?? '' })
  for (const path of ['/api/runs', '/api/trash', '/api/queues', '/api/cursors', '/api/watermarks']) {
    const { items } = (await t.send('GET', path, { token })).body
    expect([path, items.length > 0, items.every((item) => item.topologyId === topologies.own)]).toEqual([
      path,
      true,
      true,
    ])
    expect((await t.send('GET', `${path}?topology=other`, { token })).status).toBe(403)
  }
  const { items } = (await t.send('GET', '/api/trash/groups', { token })).body
  expect(items).toMatchObject([{ count: 2, topologyId: topologies.own }])
})
