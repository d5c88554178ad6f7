//go:build unix

package main

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// plotGrowth draws the duration of flushes over the length of the run. The scale is logarithmic, since the outputs differ much.
func plotGrowth(grown grown, path string) error {
	picture := plot.New()
	picture.Title.Text = "Time of one flush"
	picture.X.Label.Text = "minutes since the start"
	picture.Y.Label.Text = "milliseconds"
	picture.Y.Scale = plot.LogScale{}
	picture.Y.Tick.Marker = plot.LogTicks{Prec: -1}
	picture.Legend.Top = true
	for output, shade := range map[output]color.Color{
		builtIn: color.RGBA{R: 0xd6, G: 0x2f, B: 0x2f, A: 0xff},
		own:     color.RGBA{R: 0x1f, G: 0x6f, B: 0xb5, A: 0xff},
	} {
		line, err := plotter.NewLine(flushesOverTime(grown.last[output]))
		if err != nil {
			return err
		}
		line.Color = shade
		line.Width = vg.Points(1.5)
		picture.Add(line)
		picture.Legend.Add(string(output), line)
	}
	picture.Add(plotter.NewGrid())
	return picture.Save(16*vg.Centimeter, 9*vg.Centimeter, path)
}

// flushesOverTime returns the flushes of a run without the one at its end.
func flushesOverTime(cost cost) plotter.XYs {
	flushes := cost.flushes[:max(0, len(cost.flushes)-1)]
	points := make(plotter.XYs, len(flushes))
	for i, flush := range flushes {
		points[i] = plotter.XY{X: flush.at.Sub(flushes[0].at).Minutes(), Y: flush.took.Seconds() * 1e3}
	}
	return points
}
