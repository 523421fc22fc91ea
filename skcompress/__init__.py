"""Make linear models small, fast and shippable from scikit-learn."""
