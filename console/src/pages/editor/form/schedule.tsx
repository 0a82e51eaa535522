import { CronFields } from '../../../parts/cron/cron-fields.tsx'
import { useFields } from './context.ts'
import { ChoiceField } from './fields.tsx'
import { ObjectSection } from './object-section.tsx'

const overlaps = [
  { value: 'allow', label: 'begins beside it' },
  { value: 'skip', label: 'is skipped' },
  { value: 'queue', label: 'waits until it has ended' },
]
const missed = [
  { value: 'once', label: 'one run makes up for all' },
  { value: 'skip', label: 'none does' },
]

/** When runs begin, and when they don't. */
export function Schedule({ isCron }: { readonly isCron: boolean }) {
  return (
    <>
      {isCron && <Firings />}
      <ChoiceField
        field="overlap"
        label={`${isCron ? 'A firing' : 'A start'} while another run of it goes on`}
        placeholder={isCron ? 'is skipped' : 'begins beside it'}
        choices={overlaps}
      />
      {isCron && (
        <>
          <ChoiceField
            field="missed"
            label="Firings that nobody could start"
            placeholder="one run makes up for all"
            choices={missed}
          />
          <ObjectSection field="message" label="Its firings send a message of your own" />
        </>
      )}
    </>
  )
}

function Firings() {
  const { valueAt, faultAt, set } = useFields()
  const [cron, timezone] = [valueAt('cron'), valueAt('timezone')]
  return (
    <div data-field="cron">
      <CronFields
        cron={typeof cron === 'string' ? cron : ''}
        timezone={typeof timezone === 'string' ? timezone : ''}
        change={(values) => {
          for (const [field, value] of Object.entries(values)) set(field, value === '' ? undefined : value)
        }}
        faults={{ cron: faultAt('cron'), timezone: faultAt('timezone') }}
      />
    </div>
  )
}
