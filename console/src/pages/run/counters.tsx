import type { Run } from '../../api/engine.ts'
import { grouped } from '../../parts/show/format.ts'
import { MessagesBar, messageStates, Swatch } from '../../parts/life/messages-bar.tsx'
import classes from './run.module.css'

/** What became of its messages. */
export function Counters({ run: { messages } }: { readonly run: Run }) {
  return (
    <div>
      <dl className={classes.counters}>
        <div>
          <dt>Messages</dt>
          <dd>{grouped(messages.total)}</dd>
        </div>
        {messageStates.map(([name, text]) => (
          <div key={name} data-none={messages[name] === 0 || undefined}>
            <dt>
              <Swatch of={name} /> {text}
            </dt>
            <dd>{grouped(messages[name])}</dd>
          </div>
        ))}
      </dl>
      <MessagesBar messages={messages} height={10} />
    </div>
  )
}
