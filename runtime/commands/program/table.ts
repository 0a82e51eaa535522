/** Every command. Its module is loaded when it is called, so that the rest stays quick. */
import type { Command } from 'commander'

export interface Entry {
  readonly says: string
  readonly isHidden?: boolean
  /** The command's module; it defines arguments, flags and what to do. */
  readonly load: () => Promise<{ define(command: Command): void }>
}

export const commands: Readonly<Record<string, Entry>> = {
  dev: {
    says: 'run everything on this machine, with NATS and Postgres embedded',
    load: () => import('../dev.ts'),
  },
  control: { says: 'run the API, the intake and the recorder', load: () => import('../control.ts') },
  bridge: { says: 'run a bridge, which moves messages to workers', load: () => import('../bridge.ts') },
  migrate: { says: "bring the database to this version's schema", load: () => import('../migrate.ts') },
  init: { says: 'make a project of your own', load: () => import('../init.ts') },
  apply: { says: 'create or change topologies from files', load: () => import('../client/files/apply.ts') },
  get: { says: 'list topologies, nodes, runs, workers, …', load: () => import('../client/get/get.ts') },
  publish: { says: 'publish drafts', load: () => import('../client/topology/publish.ts') },
  republish: { says: 'bring stored node values to the bridges', load: () => import('../client/topology/publish.ts') },
  unpublish: { says: 'stop topologies, back to draft', load: () => import('../client/topology/publish.ts') },
  revisions: { says: 'list what was published of a topology', load: () => import('../client/topology/revisions.ts') },
  diff: {
    says: 'say what is different between revisions, or to the draft',
    load: () => import('../client/topology/revisions.ts'),
  },
  rollback: { says: 'publish an earlier revision again', load: () => import('../client/topology/revisions.ts') },
  set: { says: 'set values of a node or a topology', load: () => import('../client/topology/set.ts') },
  enable: { says: 'let a topology or an event node take starts', load: () => import('../client/topology/set.ts') },
  disable: { says: 'let a topology or an event node refuse starts', load: () => import('../client/topology/set.ts') },
  rename: { says: 'give a topology another name', load: () => import('../client/topology/delete.ts') },
  delete: { says: 'delete a topology', load: () => import('../client/topology/delete.ts') },
  import: {
    says: 'replace a draft by a document of the older editors',
    load: () => import('../client/topology/drawing.ts'),
  },
  export: {
    says: 'print a draft as a document of the older editors',
    load: () => import('../client/topology/drawing.ts'),
  },
  run: { says: 'start a run of a topology', load: () => import('../client/run.ts') },
  cancel: { says: 'cancel a run', load: () => import('../client/cancel.ts') },
  timeline: { says: 'show what happened in a run, or to a message', load: () => import('../client/runs/timeline.ts') },
  rerun: { says: 'run a run again, or from a node', load: () => import('../client/runs/rerun.ts') },
  pause: { says: 'pause a topology or a node, at once', load: () => import('../client/pause.ts') },
  resume: { says: 'resume a topology or a node', load: () => import('../client/pause.ts') },
  trash: {
    says: 'look at failed messages; edit, replay or discard them',
    load: () => import('../client/trash.ts'),
  },
  cursor: {
    says: 'see where a batch node reads, and let it go on elsewhere',
    load: () => import('../client/reading/cursor.ts'),
  },
  watermark: {
    says: 'say where the next run of a batch node begins',
    load: () => import('../client/reading/watermark.ts'),
  },
  why: { says: 'say why the messages of a node wait', load: () => import('../client/look/why.ts') },
  peek: { says: 'show the next messages of a node', load: () => import('../client/look/peek.ts') },
  cron: { says: 'say when a schedule would fire', load: () => import('../client/look/cron.ts') },
  tail: { says: 'follow what comes to a node', load: () => import('../client/look/tail.ts') },
  try: {
    says: 'call the worker of a node with a message, and forward nothing',
    load: () => import('../client/look/try.ts'),
  },
  worker: { says: 'register workers', load: () => import('../client/worker.ts') },
  webhook: { says: 'show, rotate and secure addresses of webhooks', load: () => import('../client/webhook.ts') },
  service: {
    says: 'say what services allow, and see what their limits do',
    load: () => import('../client/service.ts'),
  },
  token: { says: 'make, list and delete tokens', load: () => import('../client/token.ts') },
  events: { says: 'watch what happens', load: () => import('../client/events.ts') },
  doctor: {
    says: 'check NATS, Postgres, clocks and versions, and say what is wrong',
    load: () => import('../doctor.ts'),
  },
  completion: {
    says: 'print what makes your shell complete commands',
    load: () => import('../completion/completion.ts'),
  },
  __complete: {
    says: 'what may come next, for shells',
    isHidden: true,
    load: () => import('../completion/complete.ts'),
  },
}
