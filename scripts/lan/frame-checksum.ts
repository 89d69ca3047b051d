/**
 * Completes the TCP or UDP checksum of an Ethernet frame in place. Between virtual network cards the kernel leaves it
 * half done, for hardware that is not there; once a program has had the frame in its hands nobody would finish it.
 *
 * Source: RFC 1071 (the sum), RFC 9293 section 3.1 and RFC 8200 section 8.1 (the pseudo header).
 */
const ETHERNET_BYTES = 14
const IPV6_BYTES = 40
const TCP = 6
const UDP = 17

export function completeChecksum(frame: Buffer): void {
  if (frame.length < ETHERNET_BYTES + 20) return
  const etherType = frame.readUInt16BE(12)
  if (etherType === 0x0800) completeIpv4(frame.subarray(ETHERNET_BYTES))
  else if (etherType === 0x86dd && frame.length > ETHERNET_BYTES + IPV6_BYTES)
    completeIpv6(frame.subarray(ETHERNET_BYTES))
}

function completeIpv4(packet: Buffer): void {
  const headerBytes = (packet[0]! & 0x0f) * 4
  const isFragment = (packet.readUInt16BE(6) & 0x3fff) !== 0
  if (isFragment) return
  complete(packet.subarray(headerBytes, packet.readUInt16BE(2)), packet[9]!, packet.subarray(12, 20))
}

function completeIpv6(packet: Buffer): void {
  complete(
    packet.subarray(IPV6_BYTES, IPV6_BYTES + packet.readUInt16BE(4)),
    packet[6]!,
    packet.subarray(8, 40)
  )
}

function complete(segment: Buffer, protocol: number, addresses: Buffer): void {
  const place = protocol === TCP ? 16 : protocol === UDP ? 6 : undefined
  if (place === undefined || segment.length < place + 2) return
  segment.writeUInt16BE(0, place)
  const folded = fold(sum(segment) + sum(addresses) + protocol + segment.length)
  const checksum = ~folded & 0xffff
  segment.writeUInt16BE(protocol === UDP && checksum === 0 ? 0xffff : checksum, place)
}

function sum(bytes: Buffer): number {
  let total = 0
  for (let index = 0; index + 1 < bytes.length; index += 2) total += (bytes[index]! << 8) | bytes[index + 1]!
  return bytes.length % 2 === 0 ? total : total + (bytes.at(-1)! << 8)
}

function fold(total: number): number {
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x10000)
  return total
}
