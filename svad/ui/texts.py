"""The words of the page; those of stages and presets stand in their tables."""

from __future__ import annotations

from svad.export.formats import EVERY

TITLE = "SVAD"
PAGE_TITLE = "SVAD: one photo or a short clip to an avatar that moves"
HEADLINE = "One photo becomes an avatar that moves"
LEAD = (
    "Choose a photo of a person: you can soon turn the avatar around, watch it move and take it "
    "home. A clip of one turn, or up to four photos, add the real back."
)
LOCAL = "Runs on this computer. Your pictures do not leave it."
HOSTED = "The preview runs on this server's CPU and costs you no GPU time."
RASTERISERS = {
    "gsplat": "It draws on the GPU, with gsplat.",
    "Warp": "It draws on the GPU, with NVIDIA Warp.",
    "CPU": "It draws on the CPU.",
}

PHOTO = "Photo, photos or clip"
DROP = "Drop a photo here"
DROP_MORE = "or a clip of one turn, or up to 4 photos"
CHOOSE = "Click to choose"
TAP = "Tap to choose a photo"
ADD = "Add a picture"
TIPS = (
    "Best: one person from head to feet, facing the camera, arms a little away from the body. "
    "Half-body photos work, too."
)
TIPS_CLIP = (
    "Clip: the whole person in the picture, the phone held still, one slow turn on the spot in "
    "about ten seconds. Photos: front and back first, then the sides."
)
LOOKING = "Looking at the photo"
LOOKING_THROUGH = "Looking through the pictures"
LOADING = "Getting ready, this happens once after the start"
SEEN = "Found the person and the pose. Ready to create."
SEEN_WITH_WARNINGS = "Found the person. Ready to create, with these limits:"
SEEN_CLIP = "{n} pictures are used. Ready to create."
SEEN_CLIP_WITH_WARNINGS = "{n} pictures are used. Ready to create, with these limits:"
SEEN_ONE = "One picture is used, as a photo. Ready to create, with these limits:"
LARGE = "See all pictures large"
LARGE_ALT = "The chosen pictures with outline, skeleton and the side that is seen"
LEGEND_LEFT = "the person's left"
LEGEND_RIGHT = "right"
LEGEND_DIM = "dimmed: left out"
LEGEND_DIAL = "dial: where they face, seen from above"
LEGEND_FRONT = "framed: the front"
BAD_PHOTO = "This photo cannot be used"
BAD_PICTURES = "These pictures cannot be used"
BAD_CLIP = "This clip cannot be used"
ANOTHER_PHOTO = "Nothing was lost. Choose another photo to go on."
OTHER_PICTURES = "Nothing was lost. Take it away with the cross and choose another to go on."
CONSENT = "Use pictures of yourself, or of someone who has agreed to it."
RETENTION = "Pictures and avatars are removed after {hours} hours. Only you can see them."

QUALITY = "How"
BODY = "Body"
BODIES = {
    "default": "Default body",
    "smplx_neutral": "SMPL-X, neutral",
    "smplx_male": "SMPL-X, male",
    "smplx_female": "SMPL-X, female",
}
OWN_BODY = (
    "Your own SMPL-X file. For research: it is non-commercial and may not be handed on, and its "
    "terms then cover the avatar, too."
)
TAKES = "Takes about {s} here."
TAKES_TABLE = "Takes about {s} on two ordinary cores; not measured here yet."
TAKES_UNKNOWN = "How long it takes here is not known yet; after the first run it is."
ASKS = (
    "Asks for {s} s of GPU quota ({own} s, which the platform counts {factor:g} times). A day has "
    "{daily}."
)
KEPT_FOR = "Kept for {hours} hours: your pictures, every step and the avatar; Delete now ends it."
SECONDS = "{n:.0f} s"
MINUTES = "{n:.0f} minutes"
HOURS = "{n:.1f} hours"
ON_GPU = "Runs on this computer's GPU."
ON_CPU = "There is no GPU here: this would take many hours."
ON_ZERO = "Asks for about {s} s of your GPU time."
RESEARCH = "For research: the weights of the video model are non-commercial."
TOO_LONG = "This takes more GPU minutes than visitors have. Run it on a GPU of your own."
PRESET_MISSING = "{name} needs {n} files that are not here."
PRESET_MISSING_ONE = "{name} needs a file that is not here."
PRESET_FILES = "Which files, from where, under which terms"
PRESET_LACKS = "Runs without: {files}. The steps that use them are left out or made simpler."
FETCH = "Fetch them with: python -m svad weights --download --preset {preset}."
ACCEPT = "Some ask you to accept their terms first: add --accept-terms."
BRING = "Files marked by hand: get them from there and set SVAD_WEIGHTS to their folder."
BY_HAND = "by hand"
FETCH_HERE = "Fetch the files"
FETCH_SIZE = "Fetch the files, about {size}"
FETCH_STOP = "Stop fetching"
FETCHING = "Fetching {name}'s files"
FETCH_NOTE = "They are kept for the next time. A stopped download goes on where it was."
FETCH_HOSTED = "Only the owner of this page can fetch files: set SVAD_FETCH and start it again."
FETCHED = "The files are here."
FETCH_STOPPED = "Stopped. What has come is kept."
FETCH_FAILED = "Not everything could be fetched"
ACCEPT_TERMS = "I have read the terms of these files and accept them"
PRESET_UNKNOWN = "There is no preset {name}. Choose one of: {names}."
CREATE = "Create avatar"
CREATING = "Creating…"
STOP = "Stop"
STOPPING = "Stopping…"
STARTING = "Starting"
ELSEWHERE = "This avatar is being made already, begun in another tab: {name}. You see that run."
ELSEWHERE_STOP = "Wait for it, or press Stop and then Create avatar for what you chose here."
ADD_LATER = (
    "This avatar is being made at the moment, begun in another tab. Add pictures when it is done, "
    "or stop it there first."
)
STEP = "Step {n} of {total}"
WAITING_ONE = "Waiting for one visitor before you"
WAITING_MANY = "Waiting for {n} visitors before you"
WAITING = "{who}: about {time}"
SO_FAR = "{s} s so far"
LEFT = "about {s} s left"
ALMOST = "almost done"
FINISHED = "Your avatar is ready. It took {s} s."
SEE_IT = "See it"
STOPPED = "Stopped. The {done} finished steps are kept. Press Create avatar to go on from there."
STOPPED_ONE = "Stopped. The finished step is kept. Press Create avatar to go on from there."
STOPPED_EARLY = "Stopped. Nothing was finished yet. Press Create avatar to start again."
STOPPED_ALONE = "No page was open on it for a while."
PAUSED = "Paused."
PAUSED_KEPT = "Kept: {steps}. Resume goes on from there and asks for the GPU anew."
PAUSED_NOTHING = "Your pictures are kept. Resume asks for the GPU anew."
PAUSED_LINK = "What was finished is kept. Resume goes on from there."
RESUME = "Resume"
WINDING_DOWN = "The step before is still ending, one moment"
FAILED = "That did not work"
KEPT = "What was finished is kept. Press Create avatar to try again."
UNEXPECTED = (
    "Something went wrong on our side. What was finished is kept; please try again. (Code {code})"
)
TOO_LARGE = (
    "This file has {size} MB. Photos can have up to {limit} MB: save it smaller and try again."
)
TOO_LARGE_CLIP = (
    "This clip has {size} MB. Clips can have up to {limit} MB: half a minute is enough, so cut it "
    "shorter or record it in 1080p, and try again."
)
TOO_LARGE_MOTION = (
    "This file has {size} MB. Motions can have up to {limit} MB: save a part of it and try again."
)
CALL_LARGE = "This call is larger than a megabyte. Files are sent to /gradio_api/upload first."
UPLOAD_LARGE = (
    "This upload is above the maximum allowed size of {limit} MB for all of its files. Send fewer "
    "of them, or smaller ones."
)
UPLOAD_CUT = "The upload was cut off. Please send it again."
UPLOADS_FULL = (
    "There is no room for uploads here at the moment. Please come back in some minutes, when older "
    "ones have gone."
)
UPLOADS_BUSY = (
    "{n} uploads of yours are on their way already, which is as many as one visitor may have here. "
    "Wait until one of them has come."
)
UPLOADS_HOUR = (
    "You uploaded {n:g} GB within an hour, which is as much as one visitor may here. Come back in "
    "{minutes} minutes, or run it on a computer of your own."
)
CALLER_BUSY = (
    "{n} things are being made for you already, which is as many as one visitor may have here. "
    "Wait until one is done, or stop one."
)
CALLER_HOUR = (
    "You sent pictures {n} times within an hour, which is as often as one visitor may here. Come "
    "back in {minutes} minutes, or run it on a computer of your own."
)
JOB_WORD = 'A job is named by the word that /generate gave as "job".'
JOB_TOKEN = (
    "This is the word of a link for others: it shows the avatar and nothing else. The owner's own "
    'word, which /generate gave as "job", is needed here.'
)
WORD_NEEDED = '{name} is a text, such as "{example}".'
MOTION_UNKNOWN = "There is no motion named {name}. Choose one of: {names}."
EXAMPLE_UNKNOWN = "There is no example {name}. There are: {names}."
FORMAT_UNKNOWN = "There is no format named {name}. Choose one of: {names}."
BAD_CALL = (
    "This call does not fit: it has too few values, values of another kind, or a file that was not "
    "uploaded here. The page of the API lists what each endpoint takes."
)
MCP_OFF = "The MCP server is off: it needs the package mcp (pip install 'mcp>=1.21,<2')."
NO_PHOTO = "There is no photo yet. Choose one first."
NO_FILE = "Send a photo, several photos or a clip as uploaded files."
NO_SPACE = "The disk is full. Free some space and try again; finished steps are kept."
NO_WRITE = "The job folder cannot be written to. Check the folder's permissions and try again."

STEPS_IDLE = "These are the steps from a photo to an avatar. They start with Create avatar."
STATES = {
    "waiting": "Waiting",
    "running": "Working",
    "done": "Done",
    "kept": "Kept from before",
    "skipped": "Skipped",
    "stopped": "Stopped",
    "paused": "Paused",
    "failed": "Failed",
}

BETTER = "Make it better"
BETTER_KEPT = "This avatar stays, and you can compare both. What is done is not done again."
BETTER_CLIP = (
    "With a clip of one turn, or with more photos, sides and back become the person's own."
)
BETTER_CPU = "It wants a GPU, and there is none here."
BETTER_MISSING = "{n} files for it are not here; choose it under How to see which."
IMPROVE = "Make it better: {name}"
MORE = "Add a clip or photos"
ADD_STOPPED = "Stopped. Your avatar is kept."
ADD_KEPT = "Your avatar is kept. Add other pictures to go on."
VERSIONS = "Version"
SIDE = "The versions of your avatar, turning together"

TAB_AVATAR = "Avatar"
TAB_MOTION = "Motions"
TAB_COMPARE = "Compare"
TAB_STEPS = "Steps"
TAB_FILES = "Files"

EXAMPLES = "Or open a finished one"
EXAMPLE_OF = "Finished example"
YOUR_AVATAR = "Your avatar"
NOTHING_YET = "Nothing here yet"
NOT_FINISHED = "Not finished yet"
STANDS_HERE = "Your avatar comes here when it is finished."
NO_EXAMPLES = "The examples are not installed. Choose a photo to make the first avatar."
MADE_IN = "Made in {s} s from {what}"
MADE_FROM = "Made from {what}"
TURNTABLE = "Turntable video of {name}"
NO_VIDEO = "The turntable video is not here."
VIEWER = "3D view of {name}"
NO_VIEWER = "The 3D view is not here."
VIDEO_CAPTION = "Turntable"
VIEWER_CAPTION = "3D, drag to turn"
VIEWER_MOVES = "3D, drag to turn; choose a motion, or move the sliders"
COMPARE = "Photo and avatar"
COMPARE_HINT = "Drag the line: the photo on the left, the avatar in the same pose on the right."
NO_COMPARE = "There is nothing to compare here."

DOWNLOAD = "Download avatar"
FILES_LEAD = (
    "The zip holds the video, the mesh and the splats, with a licence and consent note and a short "
    "loader example."
)
FILES = {row.file: row.title for row in EVERY.values()}
FILES_LACK = {row.file: row.loses for row in EVERY.values()}
NOT_IN_IT = "Not in it: {what}"
EXPORT_PICK = "Choose a format; meshes with a picture take about half a minute"
EXPORT_MAKING = "Making {name}"
EXPORT_NOT_HERE = (
    "This example comes without the avatar itself. Create one from a photo to get more files."
)
TERMS_TITLE = "The terms of these files hold for the avatar, too"
LINK_TITLE = "Come back to this avatar"
LINK_NOTE = (
    "Your own link: it opens everything, your pictures too, and can delete it. Keep it to "
    "yourself; it works for {hours} hours."
)
SHARE = "Show it to others"
SHARE_NOTE = "This link shows avatar, 3D view and files, but not your photo, for {hours} hours."
SHARE_PHOTO = "Show the photo there, too"
SHARE_PICTURE = "Picture for posts"
SHARE_CLIP = "Looping clip for posts"
SHARE_TITLE = "An avatar made from a photo"
SHARE_ABOUT = "A synthetic 3D avatar that you can turn around and watch move."
SHARE_OPEN = "Open the avatar"
SHARE_GONE = "This avatar is not here any more, or not finished yet."
SHARED_AVATAR = "A shared avatar"
LAST = "Your last avatar is remembered in this browser."
LAST_OPEN = "Open it"
LAST_FORGET = "Forget it"
DELETE = "Delete now"
DELETE_SURE = "Delete pictures and avatar for good"
DELETED = "Deleted: your pictures, the avatar and all its files."
DELETE_LATER = "A step is still ending. Press Delete now again in a moment."
LINK_COPY = "Copy link"
LINK_COPIED = "Copied"
LINK_GONE = (
    "This link does not work any more. Pictures and avatars are removed after {hours} hours."
)
LINK_UNFINISHED = "This avatar is not finished. Press Create avatar to go on."

MOTION_PICK = "Pick a motion"
MOTION_HINT = "Each motion takes a moment the first time."
MOTION_MAKING = "Making the video: {name}"
MOTION_VIDEO = "{name}, played by {who}"
MOTION_NOT_HERE = (
    "This example comes without a movable avatar. Create one from a photo to see it move."
)
FOLLOW = "Bring a motion"
FOLLOW_HINT = "A clip of one person, or a file of a motion (.npz, .bvh, .glb, .vrma, .csv)."
FOLLOW_STOP = "Stop"
FOLLOW_STOPPED = "Stopped. Choose a motion or another file."
FOLLOW_TITLE = "Your motion"
FOLLOW_MAKING = "Moving the avatar as in your file"
FOLLOWING = "following the person"
DRAWING = "drawing"
MOTION_FILE = "Download the motion ({ending})"
MOTION_MESH = "Download the avatar with it ({ending})"
MOTION_IN_VIEW = "Play it in the 3D view"
BAD_MOTION = "This motion cannot be used"
FILM_OPTIONS = "Options of the video"
FILM_CAMERA, FILM_BACKGROUND = "Camera", "Background"
FILM_SIZE, FILM_RATE = "Height", "Frames a second"
FILM_CAMERAS = ("Front", "Left side", "Right side", "Back", "Once around", "Head and shoulders")
FILM_BACKGROUNDS = ("Studio", "Transparent", "A colour", "A picture")
FILM_COLOR, FILM_PICTURE = "Colour", "Picture behind the person"
FILM_OWN_RATE = "As the motion"
FILM_FRAMES = "Every frame as a picture (.zip), for video editors"
FILM_DOWNLOAD = "Download the video ({ending})"
FILM_NOT_HERE = (
    "Of this example there is only the usual video. Create an avatar from a photo to film it so."
)
FILM_UNKNOWN = (
    "There is no such choice for a video. Cameras: front, left, right, back, orbit, portrait. "
    "Backgrounds: studio, transparent, a colour, a picture. Heights: 480, 720, 1080 px. Frames a "
    "second: 24, 25, 30, 60, or the motion's own."
)
POSE_NEEDED = (
    'A pose is names and numbers, such as {"turn": 20, "left_arm": 90, "smile": 1}; the names are '
    "those of the viewer's sliders, or of ARKit's expressions."
)
FILM_NO_PICTURE = "Choose the picture that goes behind the person, under Options of the video."
MOTION_NOTHING = "There is no avatar to move yet."


def ahead(n: int, seconds: float | None = None) -> str:
    """How many visitors are served before, and for how long where that is known."""
    if not n:
        return ""
    who = WAITING_ONE if n == 1 else WAITING_MANY.format(n=n)
    return who if seconds is None else WAITING.format(who=who, time=duration(seconds))


def duration(seconds: float) -> str:
    """A time in words that one can plan with."""
    if seconds < 100:
        return SECONDS.format(n=seconds)
    if seconds < 5400:
        return MINUTES.format(n=seconds / 60)
    return HOURS.format(n=seconds / 3600)
