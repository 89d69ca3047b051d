/** Numbers in the text format that Prometheus reads (https://prometheus.io/docs/instrumenting/exposition_formats). */

export interface Metric {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge'
  /** One line for each; without labels a single one. */
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export function exposition(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(({ labels, value }) => `${name}${labelText(labels)} ${value}`),
        ''
      ].join('\n')
    )
    .join('')
}

function labelText(labels: Sample['labels']): string {
  if (labels === undefined) return ''
  const escaped = (text: string): string =>
    text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return `{${parts.join(',')}}`
}
