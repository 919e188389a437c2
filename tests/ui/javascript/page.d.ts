// What the page fills into page.js before it is sent.
declare const LIMIT_MB: number;
declare const TOO_LARGE: string;
declare const BAD_PHOTO: string;
