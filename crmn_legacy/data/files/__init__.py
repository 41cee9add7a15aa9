"""The formats that `data_prep` writes and reads: HDF5 files of faces and of labelled pictures, photographs, points."""
