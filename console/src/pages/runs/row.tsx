import type { Run } from '../../api/engine.ts'
import { compact, progressText } from '../../parts/show/format.ts'
import { MessagesBar } from '../../parts/life/messages-bar.tsx'
import { RowLink } from '../../parts/list/row-link.tsx'
import { StateBadge } from '../../parts/life/state-badge.tsx'
import { Time } from '../../parts/show/time.tsx'
import { Took } from '../../parts/show/took.tsx'
import classes from './runs.module.css'

export function RunHead() {
  return (
    <div className={`${classes.row} ${classes.head}`} aria-hidden>
      <span>State</span>
      <span>Topology › node</span>
      <span className={classes.wide}>Messages</span>
      <span className={classes.number}>In Trash</span>
      <span className={classes.number}>Took</span>
      <span className={classes.number}>Started</span>
    </div>
  )
}

export function pageOf({ id }: Run): string {
  return `/runs/${id}`
}

/** What one wants to know first: how it ended, how much of it failed, how long it took. */
export function RunRow({ run }: { readonly run: Run }) {
  const { topology, node, tenant, messages, startedAt, progress, finishedAt } = run
  return (
    <div className={classes.row} role="presentation">
      <span role="gridcell">
        <StateBadge state={stateOf(run)} />
      </span>
      <span role="gridcell" className={classes.text}>
        <RowLink href={pageOf(run)} className={classes.name}>
          {topology} › {node}
        </RowLink>
        <span className={classes.quiet}>
          {compact(messages.total)} {messages.total === 1 ? 'message' : 'messages'}
          {tenant !== null && ` · ${tenant}`}
          {progress !== null && finishedAt === null && ` · ${progressText(progress)}`}
        </span>
      </span>
      <span role="gridcell" className={classes.wide}>
        <MessagesBar messages={messages} />
      </span>
      <span role="gridcell" className={`${classes.number} ${messages.failed > 0 ? classes.bad : ''}`}>
        {messages.failed > 0 ? compact(messages.failed) : <span className={classes.none}>0</span>}
      </span>
      <span role="gridcell" className={`${classes.number} ${classes.took}`}>
        <Took run={run} />
      </span>
      <span role="gridcell" className={classes.when}>
        <Time at={startedAt} relative isPlain />
      </span>
    </div>
  )
}

/** `queued` and `cancelling` are running, and yet nothing begins in them any more, or yet. */
function stateOf({ state, queued, cancelRequestedAt }: Run): string {
  if (state !== 'running') return state
  if (cancelRequestedAt !== null) return 'cancelling'
  return queued ? 'queued' : state
}
