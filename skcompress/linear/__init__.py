"""The only place that knows how scikit-learn holds a linear model: read, write, curvature, fold."""
