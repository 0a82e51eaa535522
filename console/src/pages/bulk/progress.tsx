import { Group, Text } from '@mantine/core'
import type { Bulk } from '../../api/engine.ts'
import { grouped } from '../../parts/show/format.ts'
import classes from './bulk.module.css'

export const outcomes = [
  ['done', 'done'],
  ['discarded', 'discarded'],
  ['failedAgain', 'failed again'],
  ['refused', 'refused'],
  ['cancelled', 'cancelled'],
  ['underWay', 'under way'],
  ['waiting', 'waiting'],
] as const satisfies readonly (readonly [keyof Bulk['messages'], string])[]

/** All messages as one bar, by what became of them. */
export function Progress({ bulk: { messages } }: { readonly bulk: Bulk }) {
  const { total } = messages
  const settled = total - messages.waiting - messages.underWay
  return (
    <div>
      <div
        className={classes.bar}
        role="progressbar"
        aria-label="Settled messages"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={settled}
      >
        {outcomes.map(([name]) => (
          <span
            key={name}
            className={classes[name]}
            style={{ width: `${(100 * messages[name]) / Math.max(1, total)}%` }}
          />
        ))}
      </div>
      <Group gap="md" mt={6}>
        {outcomes
          .filter(([name]) => messages[name] > 0)
          .map(([name, text]) => (
            <Text key={name} span size="sm" className={classes.key}>
              <span className={`${classes.swatch} ${classes[name]}`} />
              <b>{grouped(messages[name])}</b> {text}
            </Text>
          ))}
      </Group>
    </div>
  )
}
