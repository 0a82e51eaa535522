import { Table, VisuallyHidden } from '@mantine/core'
import { Fragment } from 'react'
import type { ReactNode } from 'react'
import classes from './rows.module.css'

export interface Column<T> {
  readonly title: string
  readonly cell: (item: T) => ReactNode
  /** Of figures. */
  readonly right?: boolean
  /** As narrow as its content. */
  readonly tight?: boolean
  /** What it holds says itself what it is: its title is for screen readers only. */
  readonly bare?: boolean
}

interface RowsProps<T> {
  /** What the rows are, for who can't see them. */
  readonly label: string
  /** The first one names the row. */
  readonly columns: readonly Column<T>[]
  readonly items: readonly T[]
  readonly idOf: (item: T) => string
  /** Below the row, over its whole width. */
  readonly more?: (item: T) => ReactNode
}

/** A dense table, and cards where there is no room for one. */
export function Rows<T>({ label, columns, items, idOf, more }: RowsProps<T>) {
  return (
    <div className={classes.frame}>
      <Table className={classes.rows} aria-label={label}>
        <Table.Thead>
          <Table.Tr>
            {columns.map(({ title, bare = false, right = false, tight = false }) => (
              <Table.Th key={title} scope="col" {...shape(right, tight, bare)}>
                {bare ? <VisuallyHidden>{title}</VisuallyHidden> : title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {items.map((item) => (
            <Fragment key={idOf(item)}>
              <Table.Tr>
                {columns.map((column, index) => (
                  <Cell key={column.title} column={column} item={item} isFirst={index === 0} />
                ))}
              </Table.Tr>
              <Below columns={columns.length}>{more?.(item)}</Below>
            </Fragment>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  )
}

interface CellProps<T> {
  readonly column: Column<T>
  readonly item: T
  readonly isFirst: boolean
}

function Cell<T>({ column: { title, cell, right = false, tight = false, bare = false }, item, isFirst }: CellProps<T>) {
  const content = cell(item)
  if (isFirst)
    return (
      <Table.Th scope="row" {...shape(right, tight, bare)}>
        {content}
      </Table.Th>
    )
  const isEmpty = content === null || content === '' || content === false
  return (
    <Table.Td data-title={title} {...shape(right, tight, bare)} {...(isEmpty && { 'data-empty': true })}>
      <div>{content}</div>
    </Table.Td>
  )
}

function Below({ columns, children }: { readonly columns: number; readonly children: ReactNode }) {
  if (children === null || children === undefined || children === false) return null
  return (
    <Table.Tr>
      <Table.Td colSpan={columns} data-bare>
        {children}
      </Table.Td>
    </Table.Tr>
  )
}

function shape(right: boolean, tight: boolean, bare: boolean) {
  return {
    ...(right && { 'data-align': 'right' }),
    ...(tight && { 'data-tight': true }),
    ...(bare && { 'data-bare': true }),
  }
}
