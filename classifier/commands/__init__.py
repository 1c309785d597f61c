"""The commands of the classifier, one file each; scikit-learn is imported when one runs."""
