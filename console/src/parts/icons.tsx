import type { ReactNode, SVGProps } from 'react'

/** Drawn on 16 × 16, in the colour of the text around them; what they stand for is said beside them. */
const paths = {
  topologies: 'M2.5 4h3v3h-3zM10.5 2h3v3h-3zM10.5 11h3v3h-3zM5.5 5.5h2.5V3.5h2.5M8 5.5v7h2.5',
  runs: 'M5 3.2v9.6L12.8 8z',
  trash: 'M2.5 4.5h11M6 4.5V2.5h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4',
  cursors: 'M3 2.5v11M3 4h7l-2 2 2 2H3M6.5 12h7',
  services: 'M2.5 10a5.5 5.5 0 0 1 11 0M8 10l2.5-3M2 13h12',
  workers: 'M2.5 2.5h11v4h-11zM2.5 9.5h11v4h-11zM5 4.5h.01M5 11.5h.01M8 4.5h3M8 11.5h3',
  tokens: 'M6 10.5a3.5 3.5 0 1 1 3.3-4.7H14v2.5h-1.7v2H10v-2H9.2A3.5 3.5 0 0 1 6 10.5zM5.6 7h.01',
  audit: 'M3.5 2h6l3 3v9h-9zM9.5 2v3h3M5.5 8h5M5.5 11h5',
  status: 'M1.5 8h3l2-5 3 10 2-5h3',
  search: 'M7 12a5 5 0 1 1 0-10 5 5 0 0 1 0 10zM10.7 10.7 14 14',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1',
  moon: 'M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z',
  auto: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12',
  play: 'M5 3.2v9.6L12.8 8z',
  pause: 'M5 3v10M11 3v10',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  check: 'M2.5 8.5l3.5 3.5 7.5-8',
  warning: 'M8 2 15 14H1zM8 6.5v3.5M8 12h.01',
  info: 'M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 7.5v3.5M8 5h.01',
  user: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14a5.5 5.5 0 0 1 11 0',
  leave: 'M9.5 3V2h-7v12h7v-1M6 8h8M11.5 5.5 14 8l-2.5 2.5',
  fit: 'M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4',
  refresh: 'M13.5 3v3.5H10M13 6.3A5.5 5.5 0 1 0 13.5 9',
  settings: 'M2 4.5h7M12 4.5h2M2 11.5h2M7 11.5h7M10.5 3v3M5.5 10v3',
  cron: 'M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM8 4v4l2.5 2',
  start: 'M8 14.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM6.5 5.5v5l4-2.5z',
  webhook: 'M5.5 6.5a2.5 2.5 0 1 1 3.7 1.2l2 3.5M9.8 11.8a2.5 2.5 0 1 0 2-3.3M6.5 7.7l-2 3.5a2.3 2.3 0 1 0 2.2 1h3.5',
  connector: 'M6 2v3M10 2v3M4 5h8v2.5a4 4 0 0 1-8 0zM8 11.5V15',
  batch: 'M8 1.5 14.5 5 8 8.5 1.5 5zM1.5 8 8 11.5 14.5 8M1.5 11 8 14.5 14.5 11',
  custom: 'M5.5 4 2 8l3.5 4M10.5 4 14 8l-3.5 4',
  undo: 'M6 3 2.5 6.5 6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H7',
  redo: 'M10 3l3.5 3.5L10 10M13.5 6.5H6a3.5 3.5 0 0 0 0 7h3',
  external: 'M6.5 3h-4v10.5H13v-4M9 2.5h4.5V7M13.5 2.5 7 9',
} as const

export type IconName = keyof typeof paths

interface IconProps extends Omit<SVGProps<SVGSVGElement>, 'name'> {
  readonly name: IconName
  readonly size?: number
}

export function Icon({ name, size = 16, ...rest }: IconProps): ReactNode {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth={1.4}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden
      {...rest}
    >
      <path d={paths[name]} />
    </svg>
  )
}
