// What the page fills into page.js before it is sent.
declare const LIMIT_MB: number;
declare const CLIP_MB: number;
declare const TOO_LARGE: string;
declare const CLIP_TOO_LARGE: string;
declare const BAD_PHOTO: string;
declare const BAD_CLIP: string;
declare const DROP_WORDS: string[];
declare const TOUCH_WORDS: string[];
declare const GROUP_NAMES: Record<string, string>;
declare const ADD_WORDS: string;
declare const HUB_PAGE: string;
