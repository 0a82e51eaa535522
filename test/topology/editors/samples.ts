import type { Before } from '../../../runtime/topology/editors/merge.ts'
import { mergeDrawing } from '../../../runtime/topology/editors/editors.ts'
import type { Reading, SavedDrawing } from '../../../runtime/topology/editors/editors.ts'
import { readBpmn, readJson } from '../../../runtime/topology/editors/editors.ts'
import type { TopologyDocument } from '../../../runtime/topology/schema.ts'

export const workers = [
  { name: 'shop', urls: ['http://shop:8080'] },
  { name: 'warehouse', urls: ['https://warehouse/v1', 'https://warehouse-2/v1'] },
]

const empty: TopologyDocument = { name: 'orders', nodes: [], edges: [] }

/** As the BPMN designer saves it: Cron → Get Orders → two stores, with places and a note. */
export const bpmn = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:pipes="http://www.omg.org/spec/Pipes/20100524/MODEL" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" id="Definitions_1">
  <bpmn:process id="Process_1" isExecutable="false">
    <bpmn:event id="Event_1" name="Every Morning" pipes:pipesType="cron" pipes:cronTime="0 6 * * *">
      <bpmn:outgoing>Flow_1</bpmn:outgoing>
    </bpmn:event>
    <bpmn:task id="Activity_1" name="shop.get-orders" pipes:pipesType="batch_connector" pipes:sdkHost="shop:8080" pipes:appName="shop" pipes:timeout="90">
      <bpmn:incoming>Flow_1</bpmn:incoming>
      <bpmn:outgoing>Flow_2</bpmn:outgoing>
      <bpmn:outgoing>Flow_3</bpmn:outgoing>
    </bpmn:task>
    <bpmn:task id="Activity_2" name="store" pipes:pipesType="connector" pipes:sdkHost="warehouse:443" pipes:rabbitPrefetch="5" pipes:repeaterEnabled="true" pipes:repeaterHops="4" pipes:repeaterInterval="30">
      <bpmn:incoming>Flow_2</bpmn:incoming>
    </bpmn:task>
    <bpmn:task id="Activity_3" name="store" pipes:sdkHost="shop:8080">
      <bpmn:incoming>Flow_3</bpmn:incoming>
    </bpmn:task>
    <bpmn:sequenceFlow id="Flow_1" sourceRef="Event_1" targetRef="Activity_1"/>
    <bpmn:sequenceFlow id="Flow_2" sourceRef="Activity_1" targetRef="Activity_2"/>
    <bpmn:sequenceFlow id="Flow_3" sourceRef="Activity_1" targetRef="Activity_3"/>
  </bpmn:process>
  <bpmndi:BPMNDiagram id="BPMNDiagram_1">
    <bpmndi:BPMNPlane id="BPMNPlane_1" bpmnElement="Process_1">
      <!-- where the nodes lie -->
      <bpmndi:BPMNShape id="Event_1_di" bpmnElement="Event_1"><dc:Bounds x="10" y="20" width="36" height="36"/></bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="Activity_1_di" bpmnElement="Activity_1"><dc:Bounds x="100" y="20" width="100" height="80"/></bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="Activity_2_di" bpmnElement="Activity_2"><dc:Bounds x="400" y="20" width="100" height="80"/></bpmndi:BPMNShape>
      <bpmndi:BPMNShape id="Activity_3_di" bpmnElement="Activity_3"><dc:Bounds x="400" y="120" width="100" height="80"/></bpmndi:BPMNShape>
      <bpmndi:BPMNEdge id="Flow_1_di" bpmnElement="Flow_1"/>
      <bpmndi:BPMNEdge id="Flow_2_di" bpmnElement="Flow_2"/>
      <bpmndi:BPMNEdge id="Flow_3_di" bpmnElement="Flow_3"><di:waypoint x="1" y="2"/><di:waypoint x="3" y="4"/></bpmndi:BPMNEdge>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</bpmn:definitions>
`

const cell = (id: string, more: object) => ({ id, type: 'flow', position: { x: 1, y: 2 }, property: null, ...more })
const action = (name: string, type: string, more: object = {}) => ({ name, type, worker: 'shop', ...more })

/** As the flow editor saves it, with what it may carry besides. */
export const flow = {
  nodes: [
    cell('e1', { shape: 'circle', label: 'Event', name: 'Begin', action: null }),
    cell('c1', { shape: 'circle', label: 'Cron', name: 'nightly', action: null, cron: { time: '0 2 * * *' } }),
    cell('b1', {
      shape: 'rectangle',
      label: 'Batch',
      name: null,
      action: action('get-orders', 'batch', { app: 'shop' }),
    }),
    cell('n1', {
      shape: 'square',
      label: 'Connector',
      action: action('store', 'connector', { icon: 'x' }),
      prefetch: 1,
    }),
    { id: 'a1', type: 'annotation', noteId: '7', text: 'check this', width: 100, height: 50 },
  ],
  connections: [
    { id: 'k1', from: 'e1', to: 'b1', sourceOutput: 'output', targetInput: 'input' },
    { id: 'k2', from: 'c1', to: 'b1', sourceOutput: 'output', targetInput: 'input' },
    { id: 'k3', from: 'b1', to: 'n1', sourceOutput: 'output', targetInput: 'input' },
  ],
  zoom: 0.8,
}

/** What is saved when an editor puts a document over a draft. */
export function put(kind: 'bpmn' | 'json', sent: unknown, before: Partial<Before> = {}) {
  const reading: Reading = kind === 'bpmn' ? readBpmn(sent as string) : readJson(sent)
  if (reading.faults.length > 0) throw new Error(JSON.stringify(reading.faults))
  const merged = mergeDrawing(reading.drawing, {
    draft: empty,
    prefetch: new Map(),
    workers,
    names: [],
    keepsPrefetch: kind === 'json',
    ...before,
  })
  const source = kind === 'bpmn' ? (sent as string) : JSON.stringify(sent)
  const saved: SavedDrawing = { kind, source, names: merged.names }
  return { draft: merged.document, saved, warnings: [...reading.warnings, ...merged.warnings] }
}
