// One empty iteration, to measure the start and the end of k6.
export default function () {}
