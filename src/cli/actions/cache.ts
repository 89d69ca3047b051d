import { cacheInfo, clearCache } from '../../index.ts'
import { formatBytes, formatNumber } from '../output.ts'
import type { StateOptions } from '../state-options.ts'

export function showCache({ dir, json }: StateOptions): void {
  const info = cacheInfo(dir)
  const { entries, bytes, quotaBytes, path } = info
  if (json === true) console.log(JSON.stringify(info))
  else
    console.log(
      `${formatNumber(entries)} results, ${formatBytes(bytes)} of ${formatBytes(quotaBytes)}, in ${path}`
    )
}

export function emptyCache({ dir, json }: StateOptions): void {
  const { entries, bytes } = cacheInfo(dir)
  clearCache(dir)
  if (json === true) console.log(JSON.stringify({ removed: entries, bytes }))
  else console.log(`${formatNumber(entries)} results forgotten, ${formatBytes(bytes)}`)
}
