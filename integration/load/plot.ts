/** A series of numbers as an SVG: the median of each of a hundred parts, between its tenth and its ninth decile. @module */
export function plot(values: readonly number[], across: string, up: string): string {
  const [width, height, margin] = [640, 240, 40];
  const parts = Math.min(100, values.length);
  const size = values.length / parts;
  const quantile = (part: number, at: number) => {
    const sorted = values.slice(Math.floor(part * size), Math.floor((part + 1) * size)).toSorted((a, b) =>
      a - b
    );
    return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))]!;
  };
  const indexes = [...Array(parts).keys()];
  const top = Math.ceil(Math.max(...indexes.map((part) => quantile(part, 0.9))));
  const x = (part: number) => margin + (part + 0.5) / parts * (width - 2 * margin);
  const y = (value: number) => height - margin - value / top * (height - 2 * margin);
  const points = (at: number, order = indexes) =>
    order.map((part) => `${x(part).toFixed(1)},${y(quantile(part, at)).toFixed(1)}`).join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">
<rect width="${width}" height="${height}" fill="white"/>
<polygon points="${points(0.1)} ${points(0.9, indexes.toReversed())}" fill="#cde"/>
<polyline points="${points(0.5)}" fill="none" stroke="#246" stroke-width="1.5"/>
<path d="M${margin},${margin} V${height - margin} H${width - margin}" fill="none" stroke="black"/>
<text x="${margin - 5}" y="${y(top) + 4}" text-anchor="end">${top}</text>
<text x="${margin - 5}" y="${y(0) + 4}" text-anchor="end">0</text>
<text x="${margin}" y="${margin - 12}">${up}</text>
<text x="${width - margin}" y="${height - 12}" text-anchor="end">${across} 1 to ${values.length}</text>
</svg>
`;
}
