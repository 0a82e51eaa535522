// The import arrows: commands → (api, bridge, intake, recorder) → (call, limiter, store) → (queue, protocol) → topology.
// options (with option-values), telemetry, errors, ids and secrets are leaves that anyone may use.

/** From the outermost layer to the innermost. A folder may import what lies in layers below its own, and itself. */
const layers = [
  ['commands'],
  ['api', 'bridge', 'intake', 'recorder'],
  ['call', 'limiter', 'store'],
  ['queue', 'protocol'],
  ['topology'],
]

/** Imports inside one layer that are meant: queues carry what a protocol describes. */
const sideways = { queue: ['protocol'] }

/** Folders beside the layers, and what each may import besides the leaves. */
const beside = { client: [], embedded: [] }

const leaves = ['options\\.ts$', 'option-values\\.ts$', 'telemetry/', 'errors\\.ts$', 'ids\\.ts$', 'secrets\\.ts$']

const anyOf = (names) => `(${names.join('|')})`
const folder = (name) => `^runtime/${name}/`

/** One rule per folder: of runtime/, it may import only itself, the leaves, and the `allowed` folders. */
function arrow(from, allowed) {
  const reachable = [from, ...allowed].map((name) => `${name}/`)
  return {
    name: `arrow-${from}`,
    comment: `runtime/${from} may import ${[...allowed, 'leaves'].join(', ')}; arrows point one way`,
    severity: 'error',
    from: { path: folder(from) },
    to: { path: '^runtime/', pathNot: `^runtime/${anyOf([...reachable, ...leaves])}` },
  }
}

const layerArrows = layers.flatMap((names, index) => {
  const below = layers.slice(index + 1).flat()
  const extra = index === 0 ? Object.keys(beside) : []
  return names.map((name) => arrow(name, [...below, ...(sideways[name] ?? []), ...extra]))
})

/** Of all of runtime/, only `owner` may import the packages that `packages` matches. */
function ownedPackage(name, owner, packages) {
  return {
    name,
    comment: `only runtime/${owner} may import this package`,
    severity: 'error',
    from: { path: '^runtime/', pathNot: folder(owner) },
    to: { path: `node_modules/${packages}` },
  }
}

module.exports = {
  forbidden: [
    ...layerArrows,
    ...Object.entries(beside).map(([from, allowed]) => arrow(from, allowed)),
    {
      name: 'arrow-leaves',
      comment: 'leaves import nothing of runtime/ but leaves',
      severity: 'error',
      from: { path: `^runtime/${anyOf(leaves)}` },
      to: { path: '^runtime/', pathNot: `^runtime/${anyOf(leaves)}` },
    },
    {
      name: 'arrow-main',
      comment: 'runtime/main.ts starts commands and knows nothing else',
      severity: 'error',
      from: { path: '^runtime/main\\.ts$' },
      to: { path: '^runtime/', pathNot: `^runtime/${anyOf(['commands/', ...leaves])}` },
    },
    {
      name: 'arrow-strangers',
      comment: 'a new folder or file of runtime/ needs a place in the layers of .dependency-cruiser.cjs',
      severity: 'error',
      from: {},
      to: {
        path: '^runtime/',
        pathNot: `^runtime/${anyOf([...[...layers.flat(), ...Object.keys(beside)].map((name) => `${name}/`), 'main\\.ts$', ...leaves])}`,
      },
    },
    ownedPackage('only-queue-speaks-nats', 'queue', '@nats-io/'),
    ownedPackage('only-store-speaks-sql', 'store', 'drizzle-orm/'),
    // The embedded Postgres makes databases.
    ownedPackage('only-store-opens-postgres', '(store|embedded)', 'postgres/'),
    {
      name: 'console-knows-the-client',
      comment:
        'the console is one more program that speaks to the API: of the engine it may import the typed client, the reader of YAML documents, and what tells numbers that JavaScript can not hold',
      severity: 'error',
      from: { path: '^console/' },
      to: {
        path: '^(runtime|workers|test|bench)/',
        pathNot: '^runtime/(client/|errors\\.ts$|topology/(yaml|faults/paths)\\.ts$|protocol/patch/exact\\.ts$)',
      },
    },
    {
      name: 'engine-knows-no-console',
      comment: 'control serves the built console as files',
      severity: 'error',
      from: { path: '^(runtime|workers)/' },
      to: { path: '^console/' },
    },
    {
      name: 'sdk-stands-alone',
      comment: 'the SDK and the conformance kit are installed without an engine',
      severity: 'error',
      from: { path: '^workers/' },
      to: { path: '^(runtime|test|bench)/' },
    },
    {
      name: 'sdk-knows-no-samples',
      severity: 'error',
      from: { path: '^workers/sdk/' },
      to: { path: '^workers/', pathNot: '^workers/sdk/' },
    },
    {
      name: 'engine-knows-no-workers',
      comment: 'workers are reached over HTTP; only commands start the samples and run the conformance kit',
      severity: 'error',
      from: { path: '^runtime/', pathNot: folder('commands') },
      to: { path: '^workers/' },
    },
    {
      name: 'commands-know-samples',
      comment: 'of workers/, commands may import the samples and the conformance kit',
      severity: 'error',
      from: { path: folder('commands') },
      to: { path: '^workers/', pathNot: '^workers/(samples|conformance)/' },
    },
    {
      name: 'no-test-code-in-production',
      severity: 'error',
      from: { path: '^(runtime|workers)/', pathNot: '\\.test\\.ts$' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-dev-package-in-production',
      severity: 'error',
      from: { path: '^(runtime|workers)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm', 'type-only'] },
    },
    {
      name: 'no-unlisted-package',
      comment:
        'the samples and the console are tested in test/, with the packages that they list in package.json files of their own',
      severity: 'error',
      from: { pathNot: '^test/(samples|console)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    { name: 'no-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphan',
      comment:
        'a file that imports nothing and that nothing imports is dead, or needs a test; what bench/ starts may stand alone',
      severity: 'error',
      from: { orphan: true, pathNot: '(\\.d\\.ts|\\.config\\.(ts|mjs))$|^bench/' },
      to: {},
    },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'types', 'import', 'node', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts'],
    },
  },
}
