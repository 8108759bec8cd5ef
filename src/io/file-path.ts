import {existsSync} from 'node:fs';

const scheme = 'file://';

export function isFileUrl(url: unknown): url is string {
  return typeof url === 'string' && url.startsWith(scheme);
}

/**
 * The local path that a file:// URL names. tfjs users write `file://` and a path, absolute or relative to the working folder;
 * `pathToFileURL` also percent-encodes it. Both are right: the path is decoded unless one exists under the name as it stands.
 */
export function pathOf(url: string): string {
  const raw = url.slice(scheme.length);
  if (!raw.includes('%') || existsSync(raw)) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return raw; // a percent sign that encodes nothing
  }
}
