import { Button, Collapse, FileButton, Group, Loader, Stack, Text, TextInput, Textarea } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import type { EditedTrashMessageWarning } from '../../../api/engine.ts'
import { faultAt, shownOf } from '../../../api/problem.ts'
import { readable } from '../../../parts/body/body-view.tsx'
import { DifferenceView } from '../../../parts/body/difference-view.tsx'
import { base64Of, isJsonType } from '../../../parts/body/text.ts'
import { jsonFault } from '../../../parts/body/json-fault.ts'
import { bytes } from '../../../parts/show/format.ts'
import { Problem } from '../../../parts/problem.tsx'
import { told } from '../../../parts/toast.ts'
import type { Race } from '../../../parts/form/pinned.tsx'
import { Refused } from '../../../parts/form/refused.tsx'
import { reasonOf } from '../../../parts/form/why.tsx'
import classes from './message.module.css'
import { useContent, useMessage, useReplay, useSave } from './message.ts'
import type { Content, Edit, Known } from './message.ts'
import { useTyped } from './typed.ts'
import { Warnings } from './mismatch.tsx'

interface EditorProps {
  readonly known: Known
  readonly close: () => void
}

/** Edits the newest version; the original and all versions stay. */
export function Editor({ known, close }: EditorProps) {
  const typing = useTyped(known)
  const { data, error, refetch } = useContent(known.item.id, typing.since.version)
  if (error && !data) return <Problem error={error} again={() => void refetch()} />
  if (!data) return <Loader size="sm" aria-label="Loading" />
  return <Form known={known} typing={typing} content={data} close={close} />
}

type Typing = ReturnType<typeof useTyped>

/** What is typed, as it would be saved; and what is wrong with it. */
function draftOf({ typed, set }: Typing, { body, headers }: Content) {
  const shown = readable(body)
  const { text = shown, contentType = body.contentType, headerText = linesOf(headers), reason = '' } = typed
  const fault = text !== null && text !== shown && isJsonType(contentType) ? jsonFault(text) : null
  const parsed = headersOf(headerText)
  const edit: Edit = {
    ...(text !== null && text !== shown && { bodyBase64: base64Of(text) }),
    ...(headerText !== linesOf(headers) && typeof parsed !== 'string' && { headers: parsed }),
    ...(contentType !== body.contentType && { contentType }),
  }
  return {
    shown,
    ...{ text, contentType, headerText, reason, set },
    fault,
    headerFault: typeof parsed === 'string' ? parsed : null,
    edit: { ...edit, ...reasonOf(reason) },
    isChanged: Object.keys(edit).length > 0,
  }
}

/** Beyond it a field of a browser is slow: a file is edited elsewhere. */
const typedMax = 1_000_000

interface FormProps extends EditorProps {
  readonly typing: Typing
  readonly content: Content
}

function Form({ known, typing, content, close }: FormProps) {
  const { id } = known.item
  const draft = draftOf(typing, content)
  const save = useSave(id, typing.since.etag)
  const replay = useReplay(id)
  const { refetch } = useMessage(id)
  const [warnings, setWarnings] = useState<readonly EditedTrashMessageWarning[]>([])
  const [compared] = useDebouncedValue(draft.text, 250)
  const isBehind = save.error !== null && known.item.versions.length > typing.since.version
  const isOk = draft.fault === null && draft.headerFault === null && draft.isChanged
  const store = async (isToBeSent: boolean): Promise<void> => {
    replay.reset()
    const saved = await save.mutateAsync(draft.edit)
    typing.goOnWith(saved)
    const { warnings, versions } = saved.item
    setWarnings(warnings)
    if (warnings.length > 0) return
    if (isToBeSent) await replay.mutateAsync({})
    told(isToBeSent ? 'Saved, and on its way again' : `Saved as version ${versions.length}`)
    close()
  }
  const anyway = (): void => void replay.mutateAsync({ acceptWarnings: true }).then(close, () => undefined)
  const begin = (isToBeSent: boolean) => (): void => void store(isToBeSent).catch(() => undefined)
  const isBusy = save.isPending || replay.isPending
  return (
    <Stack gap="sm" className={classes.editor}>
      <BodyField
        content={content}
        draft={draft}
        fault={draft.fault ?? faultAt(save.error, 'body') ?? faultAt(save.error, 'bodyBase64')}
      />
      <HeadFields draft={draft} error={save.error} />
      <TextInput
        label="Reason"
        description="Why it is edited, for whoever reads it later."
        value={draft.reason}
        onChange={(event) => draft.set({ reason: event.currentTarget.value })}
        error={faultAt(save.error, 'reason')}
        maxLength={1_000}
      />
      {warnings.length > 0 && !draft.isChanged && (
        <Warnings
          title="It is saved, but the node may not take the body"
          warnings={warnings}
          anyway={anyway}
          edit={() => setWarnings([])}
          isBusy={replay.isPending}
        />
      )}
      {save.error && (
        <Refused
          error={save.error}
          race={raceOf(known, typing, save.reset, () => void refetch())}
          shownElsewhere={['body', 'bodyBase64', 'reason', 'headers', 'contentType']}
          isForm
        />
      )}
      {!draft.isChanged && known.etag === typing.since.etag && (
        <NotSent replay={replay} version={typing.since.version} isBusy={isBusy} close={close} />
      )}
      <Group gap={6} className={classes.acts}>
        <Button disabled={!isOk} loading={isBusy} onClick={begin(true)}>
          Save and replay
        </Button>
        <Button variant="default" disabled={!isOk || isBusy} onClick={begin(false)}>
          Save
        </Button>
        <Button variant="subtle" onClick={close}>
          {warnings.length > 0 ? 'Close' : 'Cancel'}
        </Button>
      </Group>
      <Differences {...{ known, typing, draft, isBehind }} text={compared} />
    </Stack>
  )
}

interface DifferencesProps extends Pick<FormProps, 'known' | 'typing'> {
  readonly draft: Draft
  readonly isBehind: boolean
  /** What is typed, a moment later. */
  readonly text: string | null
}

function Differences({ known, typing, draft, isBehind, text }: DifferencesProps) {
  if (isBehind) return typing.typed.text !== undefined && <AgainstNewest known={known} text={text} />
  if (!draft.isChanged || draft.shown === null || text === null) return null
  return <DifferenceView before={draft.shown} after={text} names={['Before', 'As you have it']} />
}

/** Whoever chooses between theirs and his own sees both. */
function AgainstNewest({ known: { item }, text }: { readonly known: Known; readonly text: string | null }) {
  const { data } = useContent(item.id, item.versions.length)
  const theirs = data && readable(data.body)
  if (typeof theirs !== 'string' || text === null) return null
  return <DifferenceView before={theirs} after={text} names={['Stored now', 'As you have it']} />
}

interface NotSentProps {
  readonly replay: ReturnType<typeof useReplay>
  /** The one that is stored. */
  readonly version: number
  readonly isBusy: boolean
  readonly close: () => void
}

/** A replay that was refused after its version was saved: it goes again as it is stored, with the choices of before. */
function NotSent({ replay, version, isBusy, close }: NotSentProps) {
  if (replay.error === null) return null
  const again = async (): Promise<void> => {
    await replay.mutateAsync(replay.variables)
    told('On its way again')
    close()
  }
  return (
    <>
      <Problem error={replay.error} />
      <Group gap="xs">
        <Text size="sm">
          Version {version} is saved, but {shownOf(replay.error).isAway ? 'may not have been' : 'wasn’t'} sent.
        </Text>
        <Button variant="default" loading={isBusy} onClick={() => void again().catch(() => undefined)}>
          Replay it again
        </Button>
      </Group>
    </>
  )
}

/** Whose version came in between, and how to go on with it. */
function raceOf(known: Known, { since, take, goOnWith }: Typing, reset: () => void, again: () => void): Race {
  const newest = known.item.versions.at(-1)
  const now =
    newest && `version ${newest.version}, by ${newest.by}${newest.reason === null ? '' : `: ${newest.reason}`}`
  const before = since.version === 0 ? 'as it failed' : `version ${since.version}`
  const goOn = (by: (newer: Known) => void) => (): void => {
    by(known)
    reset()
  }
  return {
    changes: known.etag === since.etag ? null : [{ name: 'The newest', before, now: now ?? before }],
    kept: null,
    take: goOn(take),
    keep: goOn(goOnWith),
    again,
  }
}

type Draft = ReturnType<typeof draftOf>

interface BodyFieldProps {
  readonly content: Content
  readonly draft: Draft
  readonly fault: string | null
}

function BodyField({ content, draft, fault }: BodyFieldProps) {
  const { text } = draft
  const setText = (value: string | undefined): void => draft.set({ text: value })
  const take = (file: File | null): void => void file?.text().then(setText)
  return (
    <Stack gap={4}>
      {text !== null && text.length <= typedMax ? (
        <Textarea
          label={`Body (${content.body.contentType})`}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={fault}
          rows={Math.min(24, Math.max(6, text.split('\n').length + 1))}
          spellCheck={false}
          resize="vertical"
          data-autofocus
          autoFocus
        />
      ) : (
        <Text size="sm">
          The body is {text === null ? 'no text' : `${bytes(content.body.bytes.length)} large`}: download it, edit it,
          and take it in again as a file.
        </Text>
      )}
      <Group gap={6}>
        <FileButton onChange={take}>
          {(props) => (
            <Button variant="subtle" size="compact-xs" {...props}>
              Take a text file as the body
            </Button>
          )}
        </FileButton>
        {text !== draft.shown && (
          <Button variant="subtle" size="compact-xs" onClick={() => setText(undefined)}>
            As it was
          </Button>
        )}
      </Group>
    </Stack>
  )
}

function HeadFields({ draft, error }: { readonly draft: Draft; readonly error: unknown }) {
  const [isOpen, setOpen] = useState(false)
  const fault = draft.headerFault ?? faultAt(error, 'headers')
  return (
    <>
      <Button
        variant="subtle"
        size="compact-xs"
        onClick={() => setOpen(!isOpen)}
        aria-expanded={isOpen}
        style={{ alignSelf: 'flex-start' }}
      >
        Headers and content type
      </Button>
      <Collapse expanded={isOpen || fault !== null}>
        <Stack gap="xs">
          <TextInput
            label="Content type"
            value={draft.contentType}
            onChange={(event) => draft.set({ contentType: event.currentTarget.value })}
            error={faultAt(error, 'contentType')}
          />
          <Textarea
            label="Headers"
            description="One a line, as name: value."
            value={draft.headerText}
            onChange={(event) => draft.set({ headerText: event.currentTarget.value })}
            error={fault}
            autosize
            minRows={2}
            maxRows={10}
            spellCheck={false}
          />
        </Stack>
      </Collapse>
    </>
  )
}

function linesOf(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

/** Or what is wrong with them. */
function headersOf(text: string): Record<string, string> | string {
  const headers: Record<string, string> = {}
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    const [, name, value = ''] = /^\s*([^\s:]+)\s*:\s*(.*?)\s*$/.exec(line) ?? []
    if (name === undefined) return `Line ${at + 1} is no header: it needs a name, a colon and a value`
    headers[name.toLowerCase()] = value
  }
  return headers
}
