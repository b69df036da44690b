import { calendarDay } from '@/lib/format';
import styles from './admin.module.css';

interface PlotProps {
  title: string;
  points: { day: string; value: number }[];
  write: (value: number) => string;
}

/** Bars by day; whoever does not see them hears the largest and the last. */
export function Plot({ title, points, write }: PlotProps) {
  const top = points.reduce((top, point) => (point.value > top.value ? point : top), { day: '', value: 0 });
  const last = points.at(-1);
  const said = last
    ? `${title}: ${write(last.value)} on ${calendarDay(last.day)}${top.day ? `, at most ${write(top.value)} on ${calendarDay(top.day)}` : ''}`
    : title;
  return (
    <section className={styles.panel} aria-label={title}>
      <h2>{title}</h2>
      <svg
        className={styles.plot}
        viewBox={`0 0 ${points.length} 1`}
        preserveAspectRatio="none"
        role="img"
        aria-label={said}
      >
        <line x1="0" x2={points.length} y1="1" y2="1" />
        {points.map(({ day, value }, index) => {
          const height = top.value > 0 ? value / top.value : 0;
          return (
            <rect key={day} x={index + 0.1} y={1 - height} width="0.8" height={height}>
              <title>{`${calendarDay(day)}: ${write(value)}`}</title>
            </rect>
          );
        })}
      </svg>
      <p className={`muted small ${styles.ends}`}>
        <span>{points[0] && calendarDay(points[0].day)}</span>
        <span>at most {write(top.value)}</span>
        <span>today</span>
      </p>
    </section>
  );
}
