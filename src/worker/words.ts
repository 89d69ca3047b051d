/** A list written as a sentence: names and flags that contain no space. */
export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
