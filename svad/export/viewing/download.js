// Fetches files with progress, or takes what was put into the page itself.

/** Downloads with progress: told(share in 0..1 or null when the size is unknown). */
export async function download(url, told) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the file could not be loaded (${answer.status})`);
  const total = Number(answer.headers.get("content-length")) || 0;
  const reader = answer.body.getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    told(total ? Math.min(size / total, 1) : null);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}

/** The bytes of base64. */
export function decoded(text) {
  const letters = atob(text.trim());
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes.buffer;
}
