import { Text, Tooltip } from '@mantine/core'
import type { NodePassages, RunTimeline } from '../../api/engine.ts'
import { counted, duration, grouped } from '../../parts/show/format.ts'
import { Empty } from '../../parts/empty.tsx'
import { spentKinds, SpentKey } from '../../parts/life/spent.tsx'
import lifeClasses from '../../parts/life/life.module.css'
import classes from './run.module.css'

interface Scale {
  readonly from: number
  readonly ms: number
}

const at = ({ from, ms }: Scale, time: string): number =>
  Math.max(0, Math.min(100, (100 * (Date.parse(time) - from)) / ms))

/** When each node had something of the run, and for what its time went. */
export function Waterfall({ timeline }: { readonly timeline: RunTimeline }) {
  const { run, nodes, events } = timeline
  if (nodes.length === 0)
    return (
      <Empty icon="runs" title="Nothing has come through a node yet">
        {run.queued ? 'The run waits for another one of its node to end.' : 'The first message is still on its way.'}
      </Empty>
    )
  const scale = scaleOf(timeline)
  return (
    <>
      <div className={classes.waterfall} role="list" aria-label="Nodes of the run">
        <div className={`${classes.lane} ${classes.axis}`} role="presentation">
          <span />
          <span className={classes.ticks}>
            {[0, 0.25, 0.5, 0.75, 1].map((part) => (
              <span key={part}>{duration(scale.ms * part)}</span>
            ))}
          </span>
          <span />
        </div>
        {nodes.map((node) => (
          <Lane
            key={node.nodeId}
            node={node}
            scale={scale}
            events={events.filter(({ nodeId, kind }) => nodeId === node.nodeId && kind !== 'started')}
          />
        ))}
      </div>
      <div style={{ marginTop: 8 }}>
        <SpentKey />
      </div>
      <Text size="xs" c="dimmed" mt={6}>
        Counted as messages settle: what waits now isn’t in it yet. A bar goes from the first message to the last one,
        also over rests in between; its colours share out what messages spent there, wherever in that time.
      </Text>
      {!timeline.complete && (
        <Text size="xs" c="dimmed" mt={6}>
          Single messages of its beginning are not kept any more; these figures are.
        </Text>
      )}
    </>
  )
}

function scaleOf({ run, nodes, events }: RunTimeline): Scale {
  const from = Date.parse(run.startedAt)
  const ends = [...nodes.map(({ lastAt }) => lastAt), ...events.map((event) => event.at)].map((time) =>
    Date.parse(time),
  )
  return { from, ms: Math.max(1, ...ends.map((end) => end - from), run.finishedAt === null ? run.durationMs : 0) }
}

interface LaneProps {
  readonly node: NodePassages
  readonly scale: Scale
  readonly events: RunTimeline['events']
}

function Lane({ node, scale, events }: LaneProps) {
  const { spent, firstAt, lastAt } = node
  const total = spentKinds.reduce((sum, [kind]) => sum + spent[kind], 0)
  const left = at(scale, firstAt)
  const lasted = duration(Date.parse(lastAt) - Date.parse(firstAt))
  const said = spentKinds.filter(([kind]) => spent[kind] > 0).map(([kind, text]) => `${duration(spent[kind])} ${text}`)
  return (
    <div className={classes.lane} role="listitem">
      <span>
        <span className={classes.node}>{node.node}</span>
        <span className={classes.passed}>
          from {duration(Math.max(0, Date.parse(firstAt) - scale.from))} on, for {lasted}
        </span>
      </span>
      <span className={classes.track}>
        <Tooltip label={`${lasted} from the first to the last; over all messages ${said.join(', ') || 'no time'}`}>
          <span
            className={classes.passage}
            style={{ left: `${left}%`, width: `${Math.max(0.4, at(scale, lastAt) - left)}%` }}
          >
            {total > 0 &&
              spentKinds.map(([kind]) => (
                <span key={kind} className={lifeClasses[kind]} style={{ width: `${(100 * spent[kind]) / total}%` }} />
              ))}
          </span>
        </Tooltip>
        {events.map((event, index) => (
          <Tooltip key={index} label={event.text}>
            <span className={classes.event} data-kind={event.kind} style={{ left: `${at(scale, event.at)}%` }} />
          </Tooltip>
        ))}
      </span>
      <span className={classes.figures}>
        <Figures node={node} />
      </span>
    </div>
  )
}

const words = [
  ['started', 'started'],
  ['split', 'split'],
  ['made', 'made'],
  ['forwarded', 'went on'],
  ['done', 'done'],
  ['failed', 'failed'],
  ['replayed', 'replayed'],
  ['discarded', 'discarded'],
  ['cancelled', 'cancelled'],
] as const satisfies readonly (readonly [keyof NodePassages['messages'], string])[]

function Figures({ node: { messages, calls } }: { readonly node: NodePassages }) {
  const shown = words.filter(([name]) => messages[name] > 0)
  return (
    <>
      {shown.map(([name, text], index) => (
        <span key={name}>
          {index > 0 && ', '}
          <b className={name === 'failed' ? classes.failed : ''}>{grouped(messages[name])}</b> {text}
        </span>
      ))}
      {calls > 0 && `, ${counted(calls, 'call')}`}
    </>
  )
}
