import { Table, Text } from '@mantine/core'
import type { FailedCall } from '../../api/engine.ts'
import { duration } from '../show/format.ts'
import { Time } from '../show/time.tsx'
import classes from './life.module.css'

/** Every call that failed. */
export function Attempts({ attempts }: { readonly attempts: readonly FailedCall[] }) {
  if (attempts.length === 0)
    return (
      <Text size="sm" c="dimmed">
        It was given up without a call.
      </Text>
    )
  return (
    <div className={classes.wide} tabIndex={0} role="region" aria-label="Attempts">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>#</Table.Th>
            <Table.Th>When</Table.Th>
            <Table.Th>Status</Table.Th>
            <Table.Th>Took</Table.Th>
            <Table.Th>Instance</Table.Th>
            <Table.Th>What it said</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {attempts.map(({ attempt, at, instance, status, problem, durationMs }, index) => (
            <Table.Tr key={index}>
              <Table.Td>{attempt}</Table.Td>
              <Table.Td className={classes.nowrap}>
                <Time at={at} />
              </Table.Td>
              <Table.Td>{status ?? 'none'}</Table.Td>
              <Table.Td className={classes.nowrap}>{duration(durationMs)}</Table.Td>
              <Table.Td className={classes.mono}>{instance ?? '–'}</Table.Td>
              <Table.Td className={classes.said}>
                {problem.title}
                {problem.detail !== undefined && (
                  <Text span size="xs" c="dimmed" display="block">
                    {problem.detail}
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}
