"""What the trimap rests on before the cut: seeds, plain walls, shadows, gaps."""

from __future__ import annotations

import cv2
import numpy as np

from svad.body import coco
from svad.body.coco import Keypoint
from svad.media.fields import masked_blur, pull_push
from svad.pose.keypoints import FINGERS

_TO_TOES = tuple(zip(coco.ANKLES, coco.BIG_TOES, strict=True))
_FEET = (*zip(coco.BIG_TOES, coco.HEELS, strict=True), *_TO_TOES)
_LIMBS = (*coco.ARM_LINES, *coco.LEG_LINES, *_FEET)
RIM = 0.04  # of a face's width, by which landmarks of its outline may lie outside of it
_LEAST = 1.0  # grey levels, how wrong the guess is at least
_BEHIND = 0.08  # of the person's height, how far in the wall must be guessed
_CLEAR = 6.0  # times noise and guess, from which on nothing can be the wall
_ALIKE = 4.0  # times the noise, up to which a person's colours may pass for the wall's
_NOISE = 5.0  # grey levels a plain background may differ by besides its own noise


class Scene:
    """A small picture of the person with the detector's mask and points, asked for evidence."""

    def __init__(
        self,
        rgb: np.ndarray,  # [h, w, 3] uint8
        soft: np.ndarray,  # [h, w] float32, soft person mask
        points: np.ndarray,  # [133, 3] x px, y px, score
    ) -> None:
        self.rgb, self.soft, self.points = rgb, soft, points
        self.tall = float(np.ptp(np.where(soft > 0.5)[0])) if (soft > 0.5).any() else soft.shape[0]
        self.far = cv2.dilate((soft > 0.1).astype(np.uint8), self.disk(0.025)) == 0
        self.busy = np.zeros(soft.shape, bool)  # too colourful a background to reason about
        self.clear = np.zeros(soft.shape, bool)  # cannot be the wall
        self.wall = rgb.astype(np.float32)  # [h, w, 3], carried on behind the person
        self.plain, self.shade, self.distance = self._background()

    def disk(self, share: float) -> np.ndarray:
        """A round kernel whose radius is a share of the person's height."""
        return disk(max(1, round(share * self.tall)))

    def _background(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """[h, w] each: looks like the wall; like the wall in shadow; distance in noise units."""
        image = self.rgb.astype(np.float32)
        known = self.far.astype(np.float32)
        if known.mean() < 0.02:
            nowhere = np.zeros(self.soft.shape, bool)
            return nowhere, nowhere, np.full(self.soft.shape, 3.0, np.float32)
        smooth = masked_blur(image, known, 0.01 * self.tall)
        self.wall = wall = pull_push(smooth, known)
        residual = np.square(image - smooth).sum(2) * known
        noise = np.sqrt(np.maximum(pull_push(residual, known), 0))
        noise = cv2.GaussianBlur(noise, (0, 0), 0.03 * self.tall)
        off = np.sqrt(np.square(image - wall).sum(2))
        own = noise + self._surprise(smooth)
        noise += _NOISE
        distance = off / noise
        shade = shaded(image, wall, 1.6 * noise) & self._flat()
        quiet = noise < 14  # a busy background has no plain colour to compare with
        self.busy = ~quiet
        self.clear = quiet & (off > _CLEAR * own) & ~shade
        return (distance < 2.2) & quiet, shade & quiet, distance

    def _surprise(
        self,
        smooth: np.ndarray,  # [h, w, 3] float32, the wall where it is seen
    ) -> float:
        """How wrong the wall is where it is guessed from farther away only, in grey levels."""
        near = cv2.dilate((~self.far).astype(np.uint8), self.disk(_BEHIND)) > 0
        known = (self.far & ~near).astype(np.float32)
        ring = self.far & near
        if known.mean() < 0.02 or not ring.any():
            return np.inf
        off = np.sqrt(np.square(smooth - pull_push(smooth, known)).sum(2))
        return max(_LEAST, float(np.quantile(off[ring], 0.8)))

    def _flat(self) -> np.ndarray:
        """[h, w] bool: no edge or texture; shadows fall off softly, shoes and clothes do not."""
        grey = cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
        slope = np.hypot(
            cv2.Sobel(grey, -1, 1, 0, scale=0.25), cv2.Sobel(grey, -1, 0, 1, scale=0.25)
        )
        return cv2.GaussianBlur(slope, (0, 0), 1.0) < 8

    def bones(self, share: float, score: float = 0.6) -> np.ndarray:
        """[h, w] bool: limbs drawn as lines this thick (share of the height)."""
        canvas = np.zeros(self.soft.shape, np.uint8)
        thickness = max(1, round(share * self.tall))
        draw(canvas, self.points, _LIMBS, score, thickness)
        for part in coco.HANDS.values():
            if self.points[part.start, 2] > 0.8:
                draw(canvas, self.points[part], FINGERS, 0.5, max(1, thickness // 3))
        return canvas > 0

    def _shoes(self) -> np.ndarray:
        """[h, w] bool: round the feet, where grey soles pass for the floor's shadow."""
        canvas = np.zeros(self.soft.shape, np.uint8)
        points = self.points.copy()
        for ankle, toe in _TO_TOES:  # shoes reach further than the toe landmark
            points[toe, :2] += 0.9 * (points[toe, :2] - points[ankle, :2])
        draw(canvas, points, _FEET, 0.6, max(1, round(0.075 * self.tall)))
        return canvas > 0

    def _shins(self) -> np.ndarray:
        """[h, w] bool: the rows of knees and shins, where nobody has anything thin."""
        rows = np.zeros(self.soft.shape, bool)
        legs = self.points[[*coco.HIPS, *coco.KNEES, *coco.ANKLES]]
        if legs[:, 2].min() > 0.6:
            hip, knee, ankle = (legs[i : i + 2, 1] for i in (0, 2, 4))
            top = int((0.4 * hip + 0.6 * knee).mean())
            rows[max(0, top) : max(0, int(ankle.min() - 0.03 * self.tall))] = True
        return rows

    def torso(self) -> np.ndarray:
        """[h, w] bool: between shoulders and hips."""
        canvas = np.zeros(self.soft.shape, np.uint8)
        corners = self.points[[*coco.SHOULDERS, *coco.HIPS]]
        if corners[:, 2].min() > 0.3:
            cv2.fillConvexPoly(canvas, cv2.convexHull(corners[:, :2].astype(np.int32)), (1,))
        return canvas > 0

    def _contrast(self) -> np.ndarray:
        """[h, w] float32: how far the person's colours nearby are from the wall's, at most 12."""
        person = (self.soft > 0.8).astype(np.float32)
        return masked_blur(np.minimum(self.distance, 12), person, 0.02 * self.tall)

    def _slits(
        self,
        contrast: np.ndarray,  # [h, w], see `_contrast`
    ) -> np.ndarray:
        """[h, w] bool: wall colour at the rim where the person is nowhere near that colour."""
        slit = self.plain & (self.distance < 1.6) & (contrast > 5) & (self.soft < 0.92)
        # tinted by what hangs before it, as between strands of hair: still far nearer to the wall
        tinted = ~self.busy & (self.distance < 0.35 * contrast) & (self.soft < 0.7)
        return slit | tinted & ~(self.clear & self._strange())

    def _strange(self) -> np.ndarray:
        """[h, w] bool: no mixture of the wall with the person's colours nearby."""
        known = (self.soft > 0.8).astype(np.float32)
        person = masked_blur(self.rgb.astype(np.float32), known, 0.02 * self.tall)
        off, line = self.rgb - self.wall, person - self.wall
        share = (off * line).sum(2) / np.maximum((line * line).sum(2), 1.0)
        away = np.square(off - share.clip(0, 1)[..., None] * line).sum(2)
        return away > 0.25 * np.square(off).sum(2)

    def gaps(self) -> np.ndarray:
        """[h, w] bool: wall seen between arm and body or between the legs."""
        inside = self.plain & (self.soft > 0.3) & (self.soft < 0.97)
        inside &= ~self.bones(0.03) & ~self.torso()
        inside = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, disk(1))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(inside, connectivity=4)
        gap = np.zeros(inside.shape, bool)
        for i in range(1, count):
            region = labels == i
            if stats[i, cv2.CC_STAT_AREA] < 1e-4 * self.tall**2:
                continue
            rim = (cv2.dilate(region.astype(np.uint8), disk(2)) > 0) & ~region
            body = self.distance[rim & (self.soft > 0.5)]
            if len(body) and body.mean() > 3.5:  # bounded by something else
                gap |= region
        return gap

    def seeds(
        self,
        others: np.ndarray | None,  # [h, w] bool, further people
    ) -> np.ndarray:  # [h, w] uint8 of GrabCut's labels
        """Where the cut may be sure: well inside, well outside, along the bones, plain walls."""
        soft = self.soft
        sure = cv2.erode((soft > 0.9).astype(np.uint8), self.disk(0.015)) > 0
        bones = self.bones(0.008)
        shoes = self._shoes()
        maybe = ~self.far | shoes | (cv2.dilate(bones.astype(np.uint8), self.disk(0.03)) > 0)
        labels = np.where(soft > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
        wall = self.plain & (soft < np.where(shoes, 0.15, 0.4))
        wall |= self.shade & (soft < 0.4) & ~shoes
        wall &= ~self.clear
        labels[wall & ~bones] = cv2.GC_BGD
        contrast = self._contrast()
        slits = self._slits(contrast) & ~bones & ~shoes
        labels[slits] = cv2.GC_BGD
        close = cv2.dilate((soft > 0.35).astype(np.uint8), self.disk(0.01)) > 0
        labels[self.busy & ~close & ~bones] = cv2.GC_BGD
        firm = cv2.erode((soft > 0.85).astype(np.uint8), self.disk(0.005)) > 0
        labels[self.busy & firm & ~self.plain] = cv2.GC_FGD
        labels[(self.distance > 8) & (soft > 0.75)] = cv2.GC_FGD
        toes = cv2.dilate(shoes.astype(np.uint8), self.disk(0.035)) > 0
        toes &= ~self.busy & (self.distance > 6) & (soft > 0.16)
        labels[toes] = cv2.GC_FGD  # the detector's mask often ends before the tips
        labels[self.clear & (soft > 0.4) & ~slits] = cv2.GC_FGD
        pale = ~self.busy & (contrast < _ALIKE)
        labels[pale & (soft > 0.8)] = cv2.GC_FGD  # where colours tell nothing, the detector does
        labels[self.gaps()] = cv2.GC_BGD
        labels[bones & (soft > 0.15) & (self.distance > 2)] = cv2.GC_FGD
        labels[self.bones(0.02) & (soft > 0.7)] = cv2.GC_FGD
        labels[~maybe] = cv2.GC_BGD
        labels[sure & (labels != cv2.GC_BGD)] = cv2.GC_FGD
        if others is not None:
            labels[others & (soft < 0.5)] = cv2.GC_BGD
        # whatever the wall behind a cheek looks like
        labels[face_inside(self.points, soft.shape)] = cv2.GC_FGD
        return labels

    def prune(
        self,
        person: np.ndarray,  # [h, w] bool
    ) -> np.ndarray:  # [h, w] bool
        """Drops crumbs and thin things that stick out where nobody has anything thin."""
        core = cv2.dilate((self.soft > 0.35).astype(np.uint8), self.disk(0.008)) > 0
        near = np.zeros(person.shape, np.uint8)
        wrists = (Keypoint.LEFT_WRIST, Keypoint.RIGHT_WRIST)
        for point in (Keypoint.NOSE, *wrists):  # hair and hats, hands and what they hold
            radius = 0.07 if point in wrists else 0.14
            if self.points[point, 2] > 0.4:
                x, y = (int(v) for v in self.points[point, :2])
                cv2.circle(near, (x, y), int(radius * self.tall), (1,), -1)
        thick = cv2.morphologyEx(person.astype(np.uint8), cv2.MORPH_OPEN, self.disk(0.014)) > 0
        keep = person & (core | thick | (near > 0) | self.bones(0.03))
        keep &= thick | (self.soft > 0.75) | ~self._shins()  # cables, furniture, the far skirting
        smooth = cv2.medianBlur(keep.astype(np.uint8), 5) > 0  # no saw teeth where colours mislead
        keep = np.where(self.busy, smooth, keep)
        mask = keep.astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        if count <= 1:
            return person
        main = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        bones = self.bones(0.004)
        for i in range(1, count):
            large = stats[i, cv2.CC_STAT_AREA] > 0.002 * stats[main, cv2.CC_STAT_AREA]
            if i != main and not (large and bones[labels == i].mean() > 0.05):
                keep[labels == i] = False
        return self._fill_holes(keep)

    def _fill_holes(self, person: np.ndarray) -> np.ndarray:
        """Closes holes that show no wall: hair clips, buttons, pale prints."""
        holes = (~person).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(holes, connectivity=4)
        filled = person.copy()
        for i in range(1, count):
            x, y, w, h, area = stats[i]
            if x == 0 or y == 0 or x + w == person.shape[1] or y + h == person.shape[0]:
                continue
            hole = labels == i
            tiny = area < 3e-4 * person.sum()
            wall = self.plain[hole].mean() > 0.5 and self.soft[hole].mean() < 0.97
            seen_through = wall or self.soft[hole].mean() < 0.75
            if tiny or not seen_through:
                filled |= hole
        return filled


def shaded(
    image: np.ndarray,  # [h, w, 3] float32
    wall: np.ndarray,  # [h, w, 3] float32
    tint: float | np.ndarray,  # grey levels it may be off the wall's chromaticity; [h, w]
) -> np.ndarray:  # [h, w] bool
    """Whether a pixel is the wall's colour under less light, as in a shadow, or as much."""
    factor = (image * wall).sum(2) / np.maximum((wall * wall).sum(2), 1.0)
    off = np.sqrt(np.square(image - factor[..., None] * wall).sum(2))
    return (factor > 0.4) & (factor < 1.1) & (off < tint)


def face_inside(
    points: np.ndarray,  # [133, 3] x px, y px, score
    shape: tuple[int, ...],  # h, w
) -> np.ndarray:  # [h, w] bool
    """Well inside the outline of a face that was found, from jaw to brows."""
    canvas = np.zeros(shape[:2], np.uint8)
    face = points[coco.FACE]
    if face[:, 2].min() < 0.5:
        return canvas > 0
    cv2.fillConvexPoly(canvas, cv2.convexHull(face[:, :2].astype(np.int32)), (1,))
    return cv2.erode(canvas, disk(max(1, round(RIM * np.ptp(face[:, 0]))))) > 0


def draw(
    canvas: np.ndarray,  # [h, w] uint8, drawn into
    points: np.ndarray,  # [K, 3] x px, y px, score
    lines: tuple[tuple[int, int], ...],
    score: float,  # both ends must be this sure
    thickness: int,  # px
) -> None:
    """Draws lines between key points."""
    for a, b in lines:
        if min(points[a, 2], points[b, 2]) >= score:
            first, second = ((int(points[i, 0]), int(points[i, 1])) for i in (a, b))
            cv2.line(canvas, first, second, (1,), thickness)


def disk(radius: int) -> np.ndarray:
    """A round kernel for morphology."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
