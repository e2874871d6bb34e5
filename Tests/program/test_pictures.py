"""Pillow's test images, which are of many programs and cameras."""

import unittest

import kinds_table
import pictures_table

# Dropped by default, and rightly: libjpeg-turbo or FFmpeg reports that they end too early.
CUT = {"truncated_jpeg.jpg": "no_eoi", "ultrahdr.jpg": "no_eoi"}


class Pictures(unittest.TestCase):
    def test_each_that_decoders_show_arrives(self):
        self.assertEqual(len(pictures_table.images()), 56)
        for path in pictures_table.images():
            with self.subTest(path.name):
                name, size, deed, arrived = pictures_table.row(path)
                if name in CUT:
                    self.assertEqual(deed, f"dropped, counted as {CUT[name]}")
                elif deed == "encoded again":
                    self.assertIn("over", arrived)
                else:
                    self.assertIn(deed, ("sent as it is", "re-coded without loss"))
                    self.assertEqual(arrived, kinds_table.SAME)


if __name__ == "__main__":
    unittest.main()
