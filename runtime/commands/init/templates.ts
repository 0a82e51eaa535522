/** The files of a new project. */

export interface Project {
  /** Name of the project, its worker and its topology. */
  readonly name: string
  /** The command line's program, as a shell finds it from the project. */
  readonly sluice: string
  readonly dependencies: Readonly<Record<string, string>>
  /** npm asks about every package with an install script that isn't listed here. */
  readonly allowScripts: Readonly<Record<string, boolean>>
}

/** File name → content. */
export function projectFiles(project: Project): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(project),
    'worker.mjs': workerFile(project.name),
    'topology.yaml': topologyFile(project.name),
    'README.md': readme(project.name),
    '.gitignore': 'node_modules/\n.sluiceway/\n',
  }
}

function packageJson({ name, sluice, dependencies, allowScripts }: Project): string {
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    // With `exec` no shell stands between npm and the engine: one that npm passes a signal to dies of it, and the engine stays.
    scripts: {
      start: `exec ${sluice} dev --no-sample --worker worker.mjs --apply topology.yaml`,
      sluice: `exec ${sluice}`,
    },
    dependencies,
    ...(Object.keys(allowScripts).length > 0 ? { allowScripts } : {}),
  }
  return `${JSON.stringify(content, null, 2)}\n`
}

const workerFile = (name: string) => `import { worker } from '@sluiceway/worker'

// Stands for a shop's API: ten orders, four to a page.
const orders = Array.from({ length: 10 }, (_, index) => ({
  id: index + 1,
  customer: ['  Ada ', 'Grace', ' Linus'][index % 3],
  lines: [{ price: 10 + index, quantity: 1 + (index % 2) }],
}))

export default worker({ name: '${name}', version: '0.1.0' })
  .batch('orders', ({ cursor }) => {
    const start = Number(cursor ?? 0)
    const end = start + 4
    return { records: orders.slice(start, end), cursor: end < orders.length ? end : null }
  })
  .custom('total', { prefetch: 5 }, ({ body }) => {
    const total = body.lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0)
    const order = { ...body, customer: body.customer.trim(), total }
    console.log(\`order \${order.id} of \${order.customer}: \${order.total}\`)
    return order
  })
`

const topologyFile = (
  name: string,
) => `# yaml-language-server: $schema=./node_modules/sluiceway/docs/topology.schema.json
name: ${name}
description: Reads orders page by page and adds up each of them
nodes:
  - { name: start, type: start }
  - { name: orders, type: batch, worker: ${name} }
  - { name: total, type: custom, worker: ${name}, prefetch: 5 }
edges:
  - { from: start, to: orders }
  - { from: orders, to: total }
`

const readme = (name: string) => `# ${name}

A Sluiceway project: \`worker.mjs\` has the nodes, \`topology.yaml\` joins them.

    npm install
    npm start                                 # the engine with worker and topology, on this machine
    npm run -s sluice -- run ${name} --follow

The worker's lines show up where \`npm start\` runs. Change either file and start again.
What handlers get and may return: node_modules/@sluiceway/worker/README.md
`
