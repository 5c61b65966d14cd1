"""The pixel-embedding rival of the graph models: a U-Net, a loss on pixels, DBSCAN; on the samples
of the same datasets, scored by the same metrics."""
