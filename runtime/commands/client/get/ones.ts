/** What `sluice get` shows one of. */
import { dataOf } from '../../../client/answer.ts'
import type { Engine } from '../../../client/engine.ts'
import { Invalid } from '../../../errors.ts'
import { findNode, placeOf } from '../find.ts'
import type { Row } from './kinds.ts'

export interface One {
  /** How it is named, for help and errors; with `…` there may be several. */
  readonly names: string
  read(engine: Engine, names: readonly string[]): Promise<Row>
}

export const ones = {
  topology: {
    names: 'NAME…',
    read: async (engine, [topology = '']) => {
      const path = '/api/topologies/{topology}'
      const { document, ...values } = await dataOf(engine.GET(path, { params: { path: { topology } } }))
      return { ...values, nodes: document.nodes.length, edges: document.edges.length, document }
    },
  },
  node: {
    names: 'TOPOLOGY/NODE',
    read: async (engine, [what = '']) => {
      const { topology, node } = placeOf(what)
      if (node === null) throw new Invalid('say which node: sluice get node TOPOLOGY/NODE')
      const { id } = await findNode(engine, topology, node)
      return dataOf(engine.GET('/api/nodes/{id}', { params: { path: { id } } }))
    },
  },
  revision: {
    names: 'TOPOLOGY N',
    read: (engine, [topology = '', revision = '']) =>
      dataOf(
        engine.GET('/api/topologies/{topology}/revisions/{revision}', {
          params: { path: { topology, revision: Number(revision) } },
        }),
      ),
  },
  run: { names: 'ID', read: (engine, [id = '']) => dataOf(engine.GET('/api/runs/{id}', { params: { path: { id } } })) },
  cursor: {
    names: 'ID',
    read: (engine, [id = '']) => dataOf(engine.GET('/api/cursors/{id}', { params: { path: { id } } })),
  },
  watermark: {
    names: 'ID',
    read: (engine, [id = '']) => dataOf(engine.GET('/api/watermarks/{id}', { params: { path: { id } } })),
  },
  worker: {
    names: 'NAME',
    read: (engine, [name = '']) => dataOf(engine.GET('/api/workers/{name}', { params: { path: { name } } })),
  },
  service: {
    names: 'NAME',
    read: (engine, [name = '']) => dataOf(engine.GET('/api/services/{name}', { params: { path: { name } } })),
  },
  token: {
    names: 'ID',
    read: (engine, [id = '']) => dataOf(engine.GET('/api/tokens/{id}', { params: { path: { id } } })),
  },
  session: { names: '', read: (engine) => dataOf(engine.GET('/api/session')) },
  status: { names: '', read: (engine) => dataOf(engine.GET('/api/status')) },
} as const satisfies Record<string, One>
