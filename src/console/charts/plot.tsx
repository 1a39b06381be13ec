/** uPlot as a component: drawn once, then updated with new data. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

/** Everything but the size. */
export type PlotOptions = Omit<uPlot.Options, 'width' | 'height'>;

interface PlotProps {
  readonly label: string;
  readonly data: uPlot.AlignedData;
  /** Must not change its shape unless the component's key changes. */
  readonly options: (colour: (name: string) => string) => PlotOptions;
  readonly height?: number;
}

export function Plot({ label, data, options, height = 240 }: PlotProps) {
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const latest = useRef(data);
  const make = useRef(options);
  useEffect(() => {
    latest.current = data;
    plot.current?.setData(data);
  }, [data]);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      const styles = getComputedStyle(element);
      const colour = (name: string) => resolve(element, styles.getPropertyValue(`--${name}`));
      const width = Math.max(200, element.clientWidth);
      plot.current = new uPlot({ ...make.current(colour), width, height }, latest.current, element);
    };
    draw();
    const resized = new ResizeObserver(() => {
      const width = Math.max(200, element.clientWidth);
      if (plot.current && plot.current.width !== width) plot.current.setSize({ width, height });
    });
    resized.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      resized.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = undefined;
    };
  }, [height]);
  return (
    <div className="plot" role="img" aria-label={label} ref={frame} style={{ minHeight: height }} />
  );
}

/** Resolves a colour such as `light-dark(…)`, which a canvas does not support. */
function resolve(element: HTMLElement, value: string): string {
  const probe = document.createElement('i');
  probe.style.color = value;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
