/**
 * On so few processors one query keeps all of them busy, as what it reads next is read while it computes. With more, a second part of it, or an engine
 * that computes on all of them, has the answer sooner.
 */
export const FEW_CORES = 4
