import { Anchor, Paper, Stack, Text, Title } from '@mantine/core'
import { Link } from 'wouter'
import { counted } from '../../parts/show/format.ts'
import { Sign } from '../../parts/show/sign.tsx'
import { Time } from '../../parts/show/time.tsx'
import type { Tone } from '../../parts/show/dot.tsx'
import type { Finding } from './findings.ts'
import classes from './status.module.css'

const tones: Readonly<Record<Finding['weight'], Tone>> = { stop: 'bad', look: 'warn', wait: 'quiet' }

/** What is wrong, the worst first; or that all is well. */
export function Findings({ findings }: { readonly findings: readonly Finding[] }) {
  const toMend = findings.filter(({ weight }) => weight !== 'wait').length
  const tone = findings.some(({ weight }) => weight === 'stop') ? 'bad' : toMend > 0 ? 'warn' : 'good'
  return (
    <Paper withBorder p="sm" component="section" aria-label="What is wrong">
      <Title order={2}>
        <Sign tone={tone}>
          {toMend === 0 ? 'All is well' : `${counted(toMend, 'thing needs', 'things need')} somebody to look`}
        </Sign>
      </Title>
      {findings.length > 0 && (
        <ul className={classes.findings}>
          {findings.map(({ id, weight, title, until, detail, toDo, link }) => (
            <li key={id}>
              <Stack gap={2}>
                <Text size="sm" fw={500} component="div">
                  <Sign tone={tones[weight]}>
                    {/* One child: words and a time would stand apart. */}
                    <span>
                      {title}
                      {until !== undefined && (
                        <>
                          , until <Time at={until} clock="second" />
                        </>
                      )}
                    </span>
                  </Sign>
                </Text>
                {detail !== null && <Text size="sm">{detail}</Text>}
                <Text size="sm" c="dimmed">
                  {toDo}{' '}
                  {link && (
                    <Anchor component={Link} href={link.href} size="sm">
                      {link.text}
                    </Anchor>
                  )}
                </Text>
              </Stack>
            </li>
          ))}
        </ul>
      )}
    </Paper>
  )
}
