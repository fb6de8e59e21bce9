/* SPDX-License-Identifier: MIT */

/* The program that each layer is linked into; see meson.build. That it links is the test. */
int main(void)
{
    return 0;
}
