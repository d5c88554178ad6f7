// Nothing, once: what k6 takes to start and to end.
export default function () {}
